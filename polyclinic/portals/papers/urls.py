"""Papers: printing, writing letters, one's own papers, and the public check."""

from __future__ import annotations

from django.urls import path

from polyclinic.papers.words import LetterKind
from polyclinic.portals.papers import letters, mine, views

urlpatterns = [
    path("verify", views.ask),
    path("verify/<str:paper_code>", views.verify),
    path("my/papers", mine.papers),
    path("my/papers/list", mine.newest),
    path("papers/visit/<str:visit_id>", views.visit),
    path("papers/visit/<str:visit_id>/list", views.visit_list),
]
for _kind, _id in ((LetterKind.SICK_NOTE.value, "sick_note_id"), (LetterKind.REFERRAL.value, "referral_id")):
    urlpatterns += [
        path(f"papers/{_kind}/new", letters.new, {"kind": _kind}),
        path(f"papers/{_kind}/draft", letters.draft, {"kind": _kind}),
        path(f"papers/{_kind}/draft/discard", letters.discard, {"kind": _kind}),
        path(f"papers/{_kind}/draft/beside", letters.beside, {"kind": _kind}),
    ]
urlpatterns += [
    # After the words above, so that "new" is never taken for an id.
    path("papers/<str:paper_kind>/<str:thing_id>.pdf", views.pdf),
    path("papers/sick-note/<str:sick_note_id>", letters.sick_note),
    path("papers/referral/<str:referral_id>", letters.referral),
]
