-- Idempotency keys: a request that comes twice is carried out once, and answered twice.
--
--   (none) ──begin──▶ running ──finish──▶ done, replayed for seven days
--     ▲                  └──its lock runs out: the next one begins anew
--     └──forget───────────┘

create table if not exists sync.idempotency_keys (
  -- Whose key it is: a user's id, or the name of a secret key.
  scope text not null,
  function text not null,
  key text not null,
  -- SHA-256 of the canonical body: the same key with another body is a mistake of the caller.
  fingerprint text not null,
  -- Which of several attempts holds it.
  attempt uuid not null,
  locked_until timestamptz not null,
  status integer,
  body text,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '7 days',
  primary key (scope, function, key),

  constraint keys_are_short check (length(key) between 1 and 255),
  constraint answers_are_complete check ((status is null) = (body is null))
);
comment on table sync.idempotency_keys is 'Requests that were answered, so that a repetition gets the same answer.';
create index if not exists idempotency_keys_by_age on sync.idempotency_keys (expires_at);
alter table sync.idempotency_keys enable row level security;
