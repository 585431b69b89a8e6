"""Which requirements of others are met, by which tests: OWASP ASVS 5.0 and 45 CFR 164.312."""
