"""From the payment page to money that recurs, and the webhooks on the way."""

import concurrent.futures
import json
import time
import unittest

import stripe

from stand_in import (
    DECLINED_CARD,
    GOOD_CARD,
    URL,
    StandInTest,
    advance,
    control,
    fetch_page,
    submit,
    wait_until,
)

DAY = 86_400


def card_fields(number, **more):
    return {"method": "card", "email": "a@example.com", "card_number": number, "exp": "12 / 40", "cvc": "123", **more}


class HostedPage(StandInTest):
    def test_a_good_card_leads_from_the_page_to_an_active_subscription(self):
        session = self.session()
        self.assertIn("/c/pay/cs_test_", session.url)
        path = f"/c/pay/{session.id}"
        status, location, _ = submit(path, **card_fields(GOOD_CARD, name="Museum"))
        self.assertEqual((status, location), (303, f"http://127.0.0.1:1/done?session={session.id}"))

        session = stripe.checkout.Session.retrieve(session.id, expand=["line_items", "subscription.latest_invoice.payments"])
        self.assertEqual((session.status, session.payment_status, session.url), ("complete", "paid", None))
        self.assertEqual(session.customer_details.email, "a@example.com")
        self.assertIsNone(session.payment_intent)
        self.assertEqual(session.line_items.data[0].price.unit_amount, 4900)
        subscription = session.subscription
        self.assertEqual((subscription.status, subscription.metadata["tenant"]), ("active", "ten_1"))
        self.assertGreater(subscription["items"].data[0].current_period_end, time.time() + 27 * DAY)
        invoice = subscription.latest_invoice
        self.assertEqual((invoice.status, invoice.amount_paid, invoice.billing_reason), ("paid", 4900, "subscription_create"))
        self.assertEqual(invoice.parent.subscription_details.subscription, subscription.id)
        intent_id = invoice.payments.data[0].payment.payment_intent

        intent = stripe.PaymentIntent.retrieve(intent_id, expand=["latest_charge"])
        self.assertEqual((intent.status, intent.latest_charge.status, intent.metadata.to_dict()), ("succeeded", "succeeded", {}))
        self.assertFalse(hasattr(intent, "invoice"))
        payments = stripe.InvoicePayment.list(payment={"type": "payment_intent", "payment_intent": intent_id})
        self.assertEqual([payment.invoice for payment in payments.data], [invoice.id])
        self.assertEqual(stripe.Invoice.list(subscription=subscription.id).data[0].id, invoice.id)
        page = fetch_page(invoice.hosted_invoice_url.removeprefix(URL))[1]
        self.assertIn(invoice.number, page)
        self.assertIn("already complete", submit(path, **card_fields(GOOD_CARD))[2])

    def test_a_declined_card_can_be_replaced(self):
        session = self.session()
        for card, code in ((DECLINED_CARD, "card_declined"), ("4000000000009995", "card_declined"), ("4242", "incorrect_number")):
            status, _, page = submit(f"/c/pay/{session.id}", **card_fields(card))
            self.assertEqual(status, 200)
            self.assertIn(f'data-code="{code}"', page)
        self.assertEqual(stripe.checkout.Session.retrieve(session.id).status, "open")
        self.assertEqual(stripe.Subscription.list(status="all").data, [])
        types = {event.type for event in stripe.Event.list(limit=100).data}
        self.assertTrue({"charge.failed", "payment_intent.payment_failed"} <= types)
        intent = stripe.PaymentIntent.list().data[0]
        self.assertEqual(intent.last_payment_error.decline_code, "insufficient_funds")
        self.assertEqual(submit(f"/c/pay/{session.id}", **card_fields(GOOD_CARD))[0], 303)
        self.assertEqual([intent.status for intent in stripe.PaymentIntent.list().data], ["succeeded"])

    def test_the_bank_can_ask(self):
        for card in ("4000002500003155", "4000000000003220"):
            session = self.session()
            path = f"/c/pay/{session.id}"
            status, location, _ = submit(path, **card_fields(card))
            self.assertEqual((status, location), (303, f"{path}/authenticate"))
            page = submit(location, result="fail")[2]
            self.assertIn('data-code="payment_intent_authentication_failure"', page)
            submit(path, **card_fields(card))
            self.assertTrue(submit(location, result="complete")[1].startswith("http://127.0.0.1:1/done"))

    def test_the_page_leads_back_and_closes(self):
        session = self.session()
        status, page = fetch_page(f"/c/pay/{session.id}")
        self.assertEqual(status, 200)
        self.assertIn('id="back" class="back" href="http://127.0.0.1:1/back"', page)
        self.assertNotIn("<script", page)
        stripe.checkout.Session.expire(session.id)
        self.assertEqual(fetch_page(f"/c/pay/{session.id}")[0], 410)
        self.assertEqual(fetch_page("/c/pay/cs_test_none")[0], 404)
        with self.assertRaises(stripe.InvalidRequestError):
            stripe.checkout.Session.expire(session.id)

    def test_two_tabs_pay_once(self):
        session = self.session()
        path = f"/checkout/sessions/{session.id}/complete"
        with concurrent.futures.ThreadPoolExecutor(8) as tabs:
            answers = list(tabs.map(lambda _: control("POST", path, {}), range(8)))
        self.assertEqual(sum("error" not in answer for answer in answers), 1)
        self.assertEqual(len(stripe.Subscription.list().data), 1)
        self.assertEqual(len(stripe.Charge.list().data), 1)

    def test_one_payment_without_subscription(self):
        price = self.price(interval=None)
        session = self.session(
            price, mode="payment", payment_intent_data={"metadata": {"purchase": "1"}}, customer_creation="always"
        )
        control("POST", f"/checkout/sessions/{session.id}/complete", {})
        session = stripe.checkout.Session.retrieve(session.id, expand=["payment_intent", "customer"])
        self.assertEqual(session.payment_intent.metadata["purchase"], "1")
        self.assertEqual(session.customer.email, "payer@example.com")
        self.assertIsNone(session.subscription)


class Webhooks(StandInTest):
    def test_the_sdk_verifies_what_is_sent(self):
        receiver, secret = self.receiver()
        self.bought()
        expected = {
            "customer.created", "payment_method.attached", "customer.subscription.created",
            "customer.subscription.updated", "invoice.created", "invoice.finalized", "invoice.paid",
            "invoice.payment_succeeded", "invoice_payment.paid", "payment_intent.created",
            "payment_intent.succeeded", "charge.succeeded", "checkout.session.completed",
        }
        wait_until(lambda: expected <= set(receiver.types()))
        for body, signature in receiver.received:
            event = stripe.Webhook.construct_event(body, signature, secret)
            self.assertEqual(event.api_version, "2026-08-26.dahlia")
            with self.assertRaises(stripe.SignatureVerificationError):
                stripe.Webhook.construct_event(body + b" ", signature, secret)
        counted = receiver.types()
        self.assertTrue(all(counted.count(name) == 1 for name in expected), counted)

    def test_failed_deliveries_are_tried_again_by_the_clock(self):
        receiver, _ = self.receiver(["customer.created"])
        receiver.status = 500
        customer = stripe.Customer.create()
        wait_until(lambda: len(receiver.received) == 1)
        receiver.status = 200
        wait_until(lambda: control("GET", "/deliveries")["data"][0]["attempts"])
        event = stripe.Event.list(type="customer.created").data[0]
        self.assertEqual((event.pending_webhooks, event.data.object.id), (1, customer.id))
        advance(seconds=10)
        wait_until(lambda: len(receiver.received) == 2)
        wait_until(lambda: stripe.Event.retrieve(event.id).pending_webhooks == 0)
        self.assertEqual(receiver.received[0][0], receiver.received[1][0])

    def test_deliveries_are_disturbed_as_ordered(self):
        receiver, _ = self.receiver(["customer.created", "customer.updated"])
        control("PUT", "/deliveries/mode", {"copies": 3, "shuffle_ms": 50, "drop": ["customer.updated"], "seed": 1})
        customers = [stripe.Customer.create(name=str(number)) for number in range(10)]
        stripe.Customer.modify(customers[0].id, name="x")
        wait_until(lambda: len(receiver.received) == 30)
        order = [json.loads(body)["data"]["object"]["name"] for body, _ in receiver.received]
        self.assertNotEqual(order, sorted(order))
        self.assertEqual(set(receiver.types()), {"customer.created"})
        self.assertEqual(control("GET", "/deliveries")["counts"]["dropped"], 3)
        dropped = stripe.Event.list(type="customer.updated").data[0]
        control("POST", f"/events/{dropped.id}/redeliver")
        wait_until(lambda: "customer.updated" in receiver.types())

    def test_a_pause_holds_and_a_flush_releases(self):
        receiver, _ = self.receiver()
        control("POST", "/deliveries/pause")
        stripe.Customer.create()
        self.assertEqual(control("GET", "/deliveries")["counts"]["waiting"], 1)
        self.assertEqual(receiver.received, [])
        self.assertEqual(control("POST", "/deliveries/flush")["flushed"], 1)
        wait_until(lambda: receiver.types() == ["customer.created"])


class Time(StandInTest):
    def test_sessions_expire(self):
        session = self.session(expires_at=int(time.time()) + 1800)
        self.assertEqual(advance(seconds=1801)["tasks_done"], 1)
        self.assertEqual(stripe.checkout.Session.retrieve(session.id).status, "expired")
        self.assertEqual(stripe.Event.list(type="checkout.session.expired").data[0].data.object.id, session.id)
        with self.assertRaises(stripe.InvalidRequestError):
            self.session(expires_at=int(time.time()) + 60)

    def test_subscriptions_renew(self):
        subscription = self.bought().subscription
        first_end = subscription["items"].data[0].current_period_end
        advance(seconds=first_end - int(time.time()) + 10)
        invoices = stripe.Invoice.list(subscription=subscription.id).data
        self.assertEqual([invoice.status for invoice in invoices], ["draft", "paid"])
        advance(seconds=3700)
        invoice = stripe.Invoice.retrieve(invoices[0].id)
        self.assertEqual((invoice.status, invoice.billing_reason), ("paid", "subscription_cycle"))
        renewed = stripe.Subscription.retrieve(subscription.id)
        self.assertEqual(renewed["items"].data[0].current_period_start, first_end)
        self.assertEqual(renewed.status, "active")

    def test_a_renewal_that_fails_is_tried_again_and_then_given_up(self):
        session = self.bought(subscription_data={"trial_period_days": 7}, card="4000000000000341")
        self.assertEqual((session.payment_status, session.subscription.status), ("no_payment_required", "trialing"))
        advance(days=5)
        self.assertEqual(len(stripe.Event.list(type="customer.subscription.trial_will_end").data), 1)
        advance(days=2, seconds=3700)
        self.assertEqual(stripe.Subscription.retrieve(session.subscription.id).status, "past_due")
        with self.assertRaises(stripe.CardError) as refused:
            stripe.Invoice.pay(stripe.Subscription.retrieve(session.subscription.id).latest_invoice)
        self.assertEqual(refused.exception.http_status, 402)
        advance(days=20)
        ended = stripe.Subscription.retrieve(session.subscription.id)
        self.assertEqual((ended.status, ended.cancellation_details.reason), ("canceled", "payment_failed"))
        types = [event.type for event in stripe.Event.list(limit=100).data]
        self.assertGreaterEqual(types.count("invoice.payment_failed"), 3)
        self.assertEqual(types.count("customer.subscription.deleted"), 1)

    def test_debits_settle_later(self):
        for iban, status, result in (("AT611904300234573201", "active", "succeeded"), ("AT861904300235473202", "incomplete", "failed")):
            session = self.session()
            control("POST", f"/checkout/sessions/{session.id}/complete", {"iban": iban})
            session = stripe.checkout.Session.retrieve(session.id, expand=["subscription.latest_invoice"])
            self.assertEqual((session.status, session.payment_status), ("complete", "unpaid"))
            self.assertEqual((session.subscription.status, session.subscription.latest_invoice.status), ("incomplete", "open"))
            advance(seconds=6)
            events = stripe.Event.list(type=f"checkout.session.async_payment_{result}").data
            self.assertEqual(events[0].data.object.id, session.id)
            self.assertEqual(stripe.Subscription.retrieve(session.subscription.id).status, status)
        advance(days=1)
        self.assertEqual(stripe.Subscription.retrieve(session.subscription.id).status, "incomplete_expired")

    def test_a_debit_is_settled_by_hand(self):
        session = self.session(self.price(interval=None), mode="payment")
        control("POST", f"/checkout/sessions/{session.id}/complete", {"iban": "AT611904300234573204"})
        session = stripe.checkout.Session.retrieve(session.id)
        settled = control("POST", f"/payment_intents/{session.payment_intent}/settle", {"succeeds": False})
        self.assertEqual(settled["status"], "requires_payment_method")
        self.assertEqual(len(stripe.Event.list(type="checkout.session.async_payment_failed").data), 1)


class Changes(StandInTest):
    def test_plans_change_with_prorations(self):
        subscription = self.bought().subscription
        item = subscription["items"].data[0]
        dearer = self.price(amount=19900)
        advance(days=15)
        changed = stripe.Subscription.modify(
            subscription.id, items=[{"id": item.id, "price": dearer.id}], proration_behavior="always_invoice"
        )
        self.assertEqual(changed["items"].data[0].price.id, dearer.id)
        invoice = stripe.Invoice.retrieve(changed.latest_invoice)
        self.assertEqual((invoice.billing_reason, invoice.status), ("subscription_update", "paid"))
        self.assertEqual(len(invoice.lines.data), 2)
        self.assertAlmostEqual(invoice.total, 7500, delta=300)
        self.assertEqual(stripe.Subscription.list(price=dearer.id).data[0].id, subscription.id)

    def test_prorations_wait_for_the_next_invoice(self):
        subscription = self.bought().subscription
        item = subscription["items"].data[0]
        stripe.Subscription.modify(subscription.id, items=[{"id": item.id, "quantity": 2}])
        self.assertEqual(len(stripe.Invoice.list(subscription=subscription.id).data), 1)
        advance(seconds=item.current_period_end - int(time.time()) + 3700)
        invoice = stripe.Invoice.list(subscription=subscription.id).data[0]
        self.assertEqual((len(invoice.lines.data), invoice.status), (3, "paid"))
        self.assertAlmostEqual(invoice.total, 14700, delta=5)

    def test_a_cheaper_plan_leaves_credit_for_the_next_invoice(self):
        session = self.bought(price=self.price(amount=19900))
        item = session.subscription["items"].data[0]
        changed = stripe.Subscription.modify(
            session.subscription.id, items=[{"id": item.id, "price": self.price().id}], proration_behavior="always_invoice"
        )
        invoice = stripe.Invoice.retrieve(changed.latest_invoice)
        self.assertEqual((invoice.amount_due, invoice.status, invoice.ending_balance), (0, "paid", invoice.total))
        self.assertEqual(stripe.Customer.retrieve(session.customer).balance, invoice.total)
        advance(seconds=item.current_period_end - int(time.time()) + 3700)
        renewal = stripe.Invoice.list(subscription=changed.id).data[0]
        self.assertEqual((renewal.total, renewal.amount_due), (4900, 0))
        self.assertEqual(stripe.Customer.retrieve(session.customer).balance, invoice.total + 4900)

    def test_another_interval_begins_a_new_period(self):
        subscription = self.bought().subscription
        yearly = self.price(amount=49000, interval="year")
        changed = stripe.Subscription.modify(subscription.id, items=[{"id": subscription["items"].data[0].id, "price": yearly.id}])
        self.assertGreater(changed["items"].data[0].current_period_end, time.time() + 360 * DAY)
        self.assertAlmostEqual(stripe.Invoice.retrieve(changed.latest_invoice).total, 44100, delta=5)

    def test_subscriptions_end_at_once_or_at_the_period_end(self):
        subscription = self.bought().subscription
        planned = stripe.Subscription.modify(subscription.id, cancel_at_period_end=True)
        end = planned["items"].data[0].current_period_end
        self.assertEqual((planned.status, planned.cancel_at), ("active", end))
        advance(seconds=end - int(time.time()) + 1)
        self.assertEqual(stripe.Subscription.retrieve(subscription.id).status, "canceled")
        other = self.bought().subscription
        self.assertEqual(stripe.Subscription.cancel(other.id).status, "canceled")
        self.assertEqual(stripe.Subscription.list().data, [])
        self.assertEqual(len(stripe.Subscription.list(status="canceled").data), 2)
        with self.assertRaises(stripe.InvalidRequestError):
            stripe.Subscription.cancel(other.id)

    def test_metadata_changes_tell_what_was(self):
        subscription = self.bought().subscription
        stripe.Subscription.modify(subscription.id, metadata={"tenant": "ten_2"})
        event = stripe.Event.list(type="customer.subscription.updated").data[0]
        self.assertEqual(event.data.previous_attributes["metadata"]["tenant"], "ten_1")
        self.assertEqual(event.data.object.metadata["tenant"], "ten_2")


if __name__ == "__main__":
    unittest.main()
