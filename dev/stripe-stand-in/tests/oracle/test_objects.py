"""Customers, products, prices, lists, errors, idempotency: what the official SDK sees of them."""

import threading
import time
import unittest

import stripe

from stand_in import KEY, URL, StandInTest, call, control, wait_until


class Objects(StandInTest):
    def test_customers_live_and_die(self):
        customer = stripe.Customer.create(name="Museum", email="a@example.com", metadata={"organization": "org_1"})
        self.assertEqual(customer.metadata["organization"], "org_1")
        customer = stripe.Customer.modify(customer.id, metadata={"organization": "", "more": "x"}, phone="")
        self.assertEqual(customer.metadata.to_dict(), {"more": "x"})
        self.assertEqual(stripe.Customer.list(email="a@example.com").data[0].id, customer.id)
        self.assertTrue(stripe.Customer.delete(customer.id).deleted)
        self.assertTrue(stripe.Customer.retrieve(customer.id).deleted)
        self.assertEqual(stripe.Customer.list().data, [])
        types = [event.type for event in stripe.Event.list().data]
        self.assertEqual(types, ["customer.deleted", "customer.updated", "customer.created"])

    def test_lookup_keys_can_be_taken_over(self):
        first = self.price(lookup_key="starter")
        with self.assertRaises(stripe.InvalidRequestError) as refused:
            self.price(lookup_key="starter")
        self.assertEqual(refused.exception.param, "lookup_key")
        second = self.price(amount=5900, lookup_key="starter", transfer_lookup_key=True)
        found = stripe.Price.list(lookup_keys=["starter", "other"], expand=["data.product"]).data
        self.assertEqual([price.id for price in found], [second.id])
        self.assertEqual(found[0].product.name, "Collection")
        self.assertIsNone(stripe.Price.retrieve(first.id).lookup_key)

    def test_products_with_prices_stay(self):
        price = self.price()
        with self.assertRaises(stripe.InvalidRequestError):
            stripe.Product.delete(price.product)
        product = stripe.Product.create(name="Lonely", id="lonely")
        self.assertTrue(product.delete().deleted)
        with self.assertRaises(stripe.InvalidRequestError) as missing:
            stripe.Product.retrieve("lonely")
        self.assertEqual((missing.exception.http_status, missing.exception.code), (404, "resource_missing"))

    def test_pages_are_walked_by_the_sdk(self):
        ids = [stripe.Customer.create(name=str(number)).id for number in range(7)]
        walked = [customer.id for customer in stripe.Customer.list(limit=3).auto_paging_iter()]
        self.assertEqual(walked, ids[::-1])
        back = stripe.Customer.list(limit=3, ending_before=ids[0])
        self.assertEqual([customer.id for customer in back.auto_paging_iter()], ids[1:])
        with self.assertRaises(stripe.InvalidRequestError):
            stripe.Customer.list(limit=101)

    def test_events_are_listed_by_type_and_time(self):
        before = int(time.time())
        self.price()
        listed = stripe.Event.list(types=["price.created", "customer.created"], created={"gte": before})
        self.assertEqual([event.type for event in listed.data], ["price.created"])
        self.assertEqual(len(stripe.Event.list(type="product.*").data), 1)
        self.assertEqual(stripe.Event.list(created={"gt": before + 1000}).data, [])
        event = stripe.Event.retrieve(listed.data[0].id)
        self.assertTrue(event["request"].id.startswith("req_"))

    def test_what_stripe_would_refuse_is_refused(self):
        with self.assertRaises(stripe.InvalidRequestError) as unknown:
            stripe.Customer.create(nmae="typing error")
        self.assertEqual((unknown.exception.code, unknown.exception.param), ("parameter_unknown", "nmae"))
        with self.assertRaises(stripe.InvalidRequestError) as missing:
            stripe.Product.create()
        self.assertEqual((missing.exception.code, missing.exception.param), ("parameter_missing", "name"))
        with self.assertRaises(stripe.InvalidRequestError) as price:
            stripe.checkout.Session.create(
                mode="subscription", success_url="http://x.test/", line_items=[{"price": "price_x", "quantity": 1}]
            )
        self.assertEqual((price.exception.code, price.exception.param), ("resource_missing", "line_items[0][price]"))
        with self.assertRaises(stripe.AuthenticationError):
            stripe.Customer.list(api_key="sk_live_never")
        self.assertEqual(call("GET", "/v1/customers")[0], 401)
        headers = {"authorization": f"Bearer {KEY}", "stripe-version": "2020-08-27"}
        self.assertEqual(call("GET", "/v1/customers", headers=headers)[0], 400)

    def test_the_account_is_there(self):
        self.assertEqual(stripe.Account.retrieve().country, "DE")
        self.assertFalse(stripe.Balance.retrieve().livemode)

    def test_webhook_secrets_are_shown_once(self):
        endpoint = stripe.WebhookEndpoint.create(url="http://127.0.0.1:1/", enabled_events=["invoice.paid"])
        self.assertTrue(endpoint.secret.startswith("whsec_"))
        again = stripe.WebhookEndpoint.modify(endpoint.id, disabled=True)
        self.assertEqual((again.status, hasattr(again, "secret")), ("disabled", False))
        self.assertTrue(endpoint.delete().deleted)


class Idempotency(StandInTest):
    def test_the_same_key_gives_the_same_object(self):
        first = stripe.Customer.create(name="A", idempotency_key="key")
        second = stripe.Customer.create(name="A", idempotency_key="key")
        self.assertEqual(first.id, second.id)
        self.assertEqual(second.last_response.headers["idempotent-replayed"], "true")
        self.assertEqual(len(stripe.Customer.list().data), 1)
        with self.assertRaises(stripe.IdempotencyError):
            stripe.Customer.create(name="B", idempotency_key="key")

    def test_a_500_is_kept_for_its_key_whatever_happened(self):
        for when in ("before", "after"):
            fault = {"method": "POST", "path": "/v1/customers", "failure": {"status": 500}, "when": when}
            control("POST", "/faults", fault)
            for _ in range(2):
                with self.assertRaises(stripe.APIError):
                    stripe.Customer.create(name=when, idempotency_key=f"key {when}")
            self.assertEqual(stripe.Customer.create(name=when, idempotency_key=f"other {when}").name, when)
        names = sorted(customer.name for customer in stripe.Customer.list().data)
        self.assertEqual(names, ["after", "after", "before"])

    def test_conflicts_limits_and_refused_parameters_are_not_kept(self):
        for status in (409, 429):
            control("POST", "/faults", {"failure": {"status": status}})
            with self.assertRaises(stripe.StripeError) as refused:
                stripe.Customer.create(name="A", idempotency_key=f"key {status}")
            self.assertEqual(refused.exception.http_status, status)
            self.assertEqual(stripe.Customer.create(name="A", idempotency_key=f"key {status}").name, "A")
        with self.assertRaises(stripe.InvalidRequestError):
            stripe.Customer.create(nmae="A", idempotency_key="key")
        self.assertEqual(stripe.Customer.create(name="A", idempotency_key="key").name, "A")

    def test_an_answer_that_is_lost_can_be_asked_for_again(self):
        control("POST", "/faults", {"path": "/v1/customers", "failure": "close", "when": "after"})
        with self.assertRaises(stripe.APIConnectionError):
            stripe.Customer.create(name="A", idempotency_key="key")
        self.assertEqual(len(stripe.Customer.list().data), 1)
        again = stripe.Customer.create(name="A", idempotency_key="key")
        self.assertEqual(stripe.Customer.list().data[0].id, again.id)

    def test_the_sdk_retries_by_itself(self):
        control("POST", "/faults", {"path": "/v1/customers", "failure": "close", "when": "after"})
        client = stripe.StripeClient(KEY, base_addresses={"api": URL}, max_network_retries=2)
        client.v1.customers.create({"name": "A"})
        self.assertEqual(len(stripe.Customer.list().data), 1)

    def test_while_a_request_hangs_its_key_is_in_use(self):
        control("POST", "/faults", {"path": "/v1/customers", "failure": {"hang": 1}})
        thread = threading.Thread(target=create_in_vain)
        thread.start()
        wait_until(lambda: control("GET", "/faults")["data"] == [])
        with self.assertRaises(stripe.StripeError) as refused:
            stripe.Customer.create(name="A", idempotency_key="key")
        error = refused.exception.json_body["error"]
        self.assertEqual((refused.exception.http_status, error["code"]), (409, "idempotency_key_in_use"))
        thread.join()
        self.assertEqual(stripe.Customer.create(name="A", idempotency_key="key").name, "A")
        self.assertEqual(len(stripe.Customer.list().data), 1)


def create_in_vain():
    try:
        stripe.Customer.create(name="A", idempotency_key="key")
    except stripe.APIConnectionError:
        pass


if __name__ == "__main__":
    unittest.main()
