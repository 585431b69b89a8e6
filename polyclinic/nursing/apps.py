from django.apps import AppConfig


class NursingConfig(AppConfig):
    name = "polyclinic.nursing"
    label = "nursing"

    def ready(self) -> None:
        from polyclinic.nursing import paper
        from polyclinic.papers import choices, sources
        from polyclinic.papers.words import PaperKind

        sources.register(PaperKind.DISCHARGE_SUMMARY, paper.find)
        choices.register(paper.of_patient)
