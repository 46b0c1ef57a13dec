-- Whoever looks at an object settles also the events about it that were given up while the provider was away.
create index stripe_events_given_up on stripe_events (object_id) where state = 'failed';
