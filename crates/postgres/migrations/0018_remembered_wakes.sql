-- What an operation waits for may happen while a worker still looks at it. The signal is kept until the worker lays the
-- operation down, which then does not sleep: a wait that begins with news would end only with its whole pause.

alter table operations add column woken boolean not null default false;
