"""Second factors: authenticator apps, text messages, recovery codes, passkeys, and devices that are remembered."""
