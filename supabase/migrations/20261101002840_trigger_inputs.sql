-- What the trigger that n8n's MCP server starts wants to be given. n8n refuses inputs that it does not want, and their absence.
-- Null: not read yet.
alter table public.n8n_workflows add column if not exists trigger_takes text;
alter table public.n8n_workflows drop constraint if exists trigger_takes_what_is_known;
alter table public.n8n_workflows add constraint trigger_takes_what_is_known
  check (trigger_takes in ('webhook', 'form', 'chat', 'nothing'));
