from django.apps import AppConfig


class MedicinesConfig(AppConfig):
    name = "polyclinic.medicines"
    label = "medicines"
