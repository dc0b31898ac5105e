"""How long a policy decision takes, by the number of rules."""

from measure import load

RULES = 10000


def policy_times(table, options, directory):
    for kind, what in (("name", "a domain each"), ("asker", "whoever asks, each of them looked at")):
        def best(rules):
            """In microseconds, which are told to a tenth."""
            place = directory / f"{kind}-{rules}"
            return max(0.1, min(load(f"policy-by-{kind}", place, rules, options.seconds) for _ in range(options.rounds)))
        many, one = best(RULES), best(1)
        table.add(f"policy decision with {RULES} rules for {what} / with one", f"{many / 1000:.4f} ms", f"{one / 1000:.4f} ms", f"{many / one:.1f}", "under 1 ms")
