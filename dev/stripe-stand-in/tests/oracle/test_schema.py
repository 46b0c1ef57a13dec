"""Every object and every event that the stand-in shows is held against Stripe's own OpenAPI document."""

import os
import time
import unittest

import stripe

from openapi import OpenApi
from stand_in import KEY, StandInTest, advance, call, control

LISTS = (
    "customers", "products", "prices", "checkout/sessions", "subscriptions?status=all", "invoices", "invoice_payments",
    "payment_intents", "payment_methods", "charges", "webhook_endpoints", "events",
)
EXPANSIONS = {
    "checkout/sessions": ("line_items", "subscription", "invoice", "customer", "payment_intent"),
    "subscriptions?status=all": ("latest_invoice", "customer", "default_payment_method"),
    "invoices": ("payments", "customer"),
    "invoice_payments": ("invoice", "payment.payment_intent"),
    "payment_intents": ("latest_charge", "payment_method"),
    "customers": ("subscriptions",),
    "prices": ("product",),
}


class Schema(StandInTest):
    def setUp(self):
        super().setUp()
        self.api = OpenApi(os.environ["STRIPE_OPENAPI"])

    def get(self, path):
        status, value = call("GET", f"/v1/{path}", headers={"authorization": f"Bearer {KEY}"})
        self.assertEqual(status, 200, value)
        return value

    def all_of(self, path):
        cursor = ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=100{cursor}")
            yield from page["data"]
            if not page["has_more"]:
                return
            cursor = f"&starting_after={page['data'][-1]['id']}"

    def live(self):
        """Everything that can happen to an account, once."""
        self.receiver()
        customer = stripe.Customer.create(name="A", address={"city": "Berlin"}, shipping={"name": "A", "address": {"line1": "x"}})
        stripe.Product.create(
            name="With price", default_price_data={"currency": "eur", "unit_amount": 100}, marketing_features=[{"name": "x"}]
        )
        subscription = self.bought(customer=customer.id).subscription
        self.bought(subscription_data={"trial_period_days": 7}, card="4000000000000341")
        one_time = self.session(self.price(interval=None), mode="payment")
        control("POST", f"/checkout/sessions/{one_time.id}/complete", {"card": "4000000000000002"})
        control("POST", f"/checkout/sessions/{one_time.id}/complete", {"card": "4000002500003155", "authenticate": False})
        control("POST", f"/checkout/sessions/{one_time.id}/complete", {"card": "4000002500003155"})
        for iban in ("AT611904300234573201", "AT861904300235473202"):
            control("POST", f"/checkout/sessions/{self.session().id}/complete", {"iban": iban})
        waiting = self.session(allow_promotion_codes=True)
        control("POST", f"/checkout/sessions/{waiting.id}/complete", {"card": "4000000000000002"})
        inline = {"currency": "eur", "unit_amount": 5, "product_data": {"name": "Inline"}, "recurring": {"interval": "week"}}
        stripe.checkout.Session.create(
            mode="subscription", success_url="http://x.test/", line_items=[{"price_data": inline, "quantity": 2}]
        )
        stripe.Subscription.modify(
            subscription.id,
            items=[{"id": subscription["items"].data[0].id, "price": self.price(amount=19900).id}],
            proration_behavior="always_invoice",
        )
        advance(days=9)
        stripe.Subscription.modify(subscription.id, cancel_at_period_end=True)
        advance(days=40)
        stripe.Customer.delete(customer.id)

    def test_the_check_itself_finds_what_is_wrong(self):
        price = self.get(f"prices/{self.price().id}")
        self.assertEqual(self.api.errors_of(price), [])
        wrong = {"extra": 1, "currency": 5, "type": "weekly", "metadata": {"a": 1}, "active": None}
        for name, value in wrong.items():
            self.assertEqual(len(self.api.errors_of({**price, name: value})), 1, name)
        del price["livemode"]
        self.assertEqual(self.api.errors_of(price), ["price.livemode: missing"])

    def test_each_call_knows_stripes_parameters_and_no_others(self):
        errors = []
        for simulated in control("GET", "/calls"):
            call_name = f"{simulated['method']} {simulated['path']}"
            documented = self.api.parameters_of(simulated["method"], simulated["path"])
            if documented is None:
                errors.append(f"{call_name}: Stripe has no such call")
            else:
                errors += differences(simulated["parameters"], documented, call_name)
        self.assertFalse(errors, "\n".join(sorted(errors)))

    def test_objects_have_stripes_fields_and_no_others(self):
        self.assertEqual(self.api.version, "2026-08-26.dahlia")
        self.live()
        checked, kinds, errors = 0, set(), set()
        for path in LISTS:
            for value in self.all_of(path):
                checked += 1
                kinds.add(value["object"])
                errors.update(self.api.errors_of(value))
                if value["object"] == "event":
                    self.assertIn(value["type"], self.api.event_types)
                    errors.update(f"{value['type']}: {error}" for error in self.api.errors_of(value["data"]["object"]))
            for expansion in EXPANSIONS.get(path, ()):
                joint = "&" if "?" in path else "?"
                errors.update(self.api.errors_of(self.get(f"{path}{joint}limit=100&expand[]=data.{expansion}")))
        for path in ("account", "balance"):
            errors.update(self.api.errors_of(self.get(path)))
        endpoint = stripe.WebhookEndpoint.create(url="http://127.0.0.1:1/", enabled_events=["*"])
        errors.update(self.api.errors_of(endpoint.to_dict()))
        errors.update(self.api.errors_of(endpoint.delete().to_dict()))
        self.assertEqual(sorted(errors), [])
        self.assertEqual(len(kinds), len(LISTS))
        types = {event["type"] for event in self.all_of("events")}
        self.assertGreaterEqual(len(types), 30, sorted(types))
        print(f"{checked} objects, {len(types)} types of events", flush=True)


def differences(simulated, documented, path):
    """Names that only one side has; what the stand-in declares as not simulated is not looked into."""
    errors = [f"{path}: {name} is not a parameter of Stripe" for name in simulated.keys() - documented.keys()]
    errors += [f"{path}: {name} is missing" for name in documented.keys() - simulated.keys()]
    for name in simulated.keys() & documented.keys():
        if isinstance(simulated[name], dict) and documented[name]:
            errors += differences(simulated[name], documented[name], f"{path} {name}")
    return errors


if __name__ == "__main__":
    unittest.main()
