-- Customers are a kind of item, beside products, orders and stock.

alter table public.sync_configs drop constraint if exists config_item_type_is_known;
alter table public.sync_configs add constraint config_item_type_is_known
  check (item_type in ('product', 'order', 'inventory', 'customer'));

alter table public.sync_list drop constraint if exists item_type_is_known;
alter table public.sync_list add constraint item_type_is_known
  check (item_type in ('product', 'order', 'inventory', 'customer'));
