"""How bytes come from an upstream: addresses and mirrors, polite requests, resumed transfers, first bytes looked at."""
