from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "polyclinic.files"
    label = "files"
