"""What the tests share: the SDK pointed at the stand-in, its controls, and a receiver of webhooks."""

import http.server
import json
import os
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import stripe

URL = os.environ["STAND_IN_URL"]
KEY = "sk_test_oracle"
GOOD_CARD = "4242424242424242"
DECLINED_CARD = "4000000000000002"

stripe.api_base = URL
stripe.api_key = KEY
stripe.max_network_retries = 0


def wait_until(condition, seconds=10):
    """The first true value of `condition`, asked again and again."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.01)
    return value


def control(method, path, body=None):
    """Calls `/_control`. Refusals are answered like other answers."""
    return call(method, "/_control" + path, json.dumps(body or {}).encode(), {"content-type": "application/json"})[1]


def call(method, path, body=None, headers=None):
    """A plain request: status, JSON."""
    request = urllib.request.Request(URL + path, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def advance(**spans):
    days, seconds = spans.get("days", 0), spans.get("seconds", 0)
    return control("POST", "/clock/advance", {"seconds": days * 86_400 + seconds})


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def submit(path, **fields):
    """Sends a form of the hosted page as a browser would: status, where it leads, the page."""
    data = urllib.parse.urlencode(fields).encode()
    try:
        with urllib.request.build_opener(NoRedirects).open(URL + path, data=data, timeout=10) as answer:
            return answer.status, None, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("location"), error.read().decode()


def fetch_page(path):
    """A page as a browser gets it: status, text."""
    try:
        with urllib.request.urlopen(URL + path, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Receiver:
    """Receives webhooks and keeps body and signature of each."""

    def __init__(self):
        receiver = self
        self.received = []
        self.status = 200

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.received.append((body, self.headers["stripe-signature"]))
                self.send_response(receiver.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def types(self):
        return [json.loads(body)["type"] for body, _ in list(self.received)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class StandInTest(unittest.TestCase):
    """Each test begins with an empty account."""

    def setUp(self):
        control("DELETE", "/state")

    def receiver(self, events=("*",)):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        endpoint = stripe.WebhookEndpoint.create(url=receiver.url, enabled_events=list(events))
        self.addCleanup(endpoint.delete)
        return receiver, endpoint.secret

    def price(self, amount=4900, interval="month", **more):
        product = stripe.Product.create(name="Collection")
        recurring = {"interval": interval} if interval else None
        more.update({"recurring": recurring} if recurring else {})
        return stripe.Price.create(product=product.id, currency="eur", unit_amount=amount, **more)

    def session(self, price=None, **more):
        price = price or self.price()
        parameters = {
            "mode": "subscription",
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "http://127.0.0.1:1/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://127.0.0.1:1/back",
            "client_reference_id": "ten_1",
            "metadata": {"tenant": "ten_1"},
        }
        if more.get("mode", "subscription") == "subscription":
            parameters["subscription_data"] = {"metadata": {"tenant": "ten_1"}}
        return stripe.checkout.Session.create(**{**parameters, **more})

    def bought(self, card=GOOD_CARD, **more):
        """A completed session, its subscription expanded."""
        session = self.session(**more)
        answer = control("POST", f"/checkout/sessions/{session.id}/complete", {"card": card})
        self.assertNotIn("error", answer)
        return stripe.checkout.Session.retrieve(session.id, expand=["subscription.latest_invoice.payments"])
