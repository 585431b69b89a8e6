"""The pages of those who run a facility: its people, roles and invitations."""

from __future__ import annotations

from django.urls import path

from polyclinic.portals.admin import doctors, house, invitations, keys, leave, person, roles, system, viewing, views

urlpatterns = [
    path("admin", views.home),
    path("admin/figures", views.figures),
    path("admin/day", views.day),
    path("admin/people", views.people),
    path("admin/people/list", views.people_list),
    path("admin/people/<str:account_id>", person.person),
    path("admin/people/<str:account_id>/state", person.state),
    path("admin/people/<str:account_id>/give", person.give),
    path("admin/people/<str:account_id>/end/<str:membership_id>", person.end),
    path("admin/people/<str:account_id>/view-as", viewing.begin),
    path("admin/people/<str:account_id>/do/<str:deed>", person.do),
    path("view-as/end", viewing.end),
    path("admin/roles", roles.listing),
    path("admin/roles/own", roles.own_list),
    path("admin/roles/new/<str:facility_id>", roles.new),
    path("admin/roles/<str:role_id>", roles.edit),
    path("admin/roles/<str:role_id>/retire", roles.retire),
    path("admin/invitations", invitations.listing),
    path("admin/invitations/list", invitations.rows),
    path("admin/invitations/new", invitations.new),
    path("admin/invitations/<str:invitation_id>/resend", invitations.resend),
    path("admin/invitations/<str:invitation_id>/revoke", invitations.revoke),
    path("admin/doctors", doctors.listing),
    path("admin/doctors/list", doctors.rows),
    path("admin/doctors/invite", doctors.find),
    path("admin/doctors/invite/<str:doctor_id>", doctors.invite),
    path("admin/doctors/invitations/<str:doctor_invitation_id>/<str:invitation_deed>", doctors.act),
    path("admin/leave", leave.listing),
    path("admin/leave/list", leave.rows),
    path("admin/leave/<str:leave_id>", leave.decide),
    path("admin/rota", leave.week),
    path("admin/rota/table", leave.week_rows),
    path("admin/house", house.overview),
    path("admin/house/state", house.state),
    path("admin/house/<str:setting_key>", house.edit),
    path("admin/house/<str:setting_key>/undo", house.undo),
    path("admin/keys", keys.listing),
    path("admin/keys/new/<str:facility_id>", keys.new),
    path("admin/keys/<str:key_id>/end", keys.revoke),
    path("admin/system", system.system),
    path("invitation/<str:token>", invitations.take_up),
]
