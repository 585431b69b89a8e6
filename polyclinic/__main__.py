"""`python -m polyclinic` is the same as `polyclinic`."""

from polyclinic.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
