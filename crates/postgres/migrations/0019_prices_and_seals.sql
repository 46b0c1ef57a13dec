-- A checkout is paid at a price of the product that it is for, and a contract at one of its own product's. A price knows its
-- product from its plan version, which never changes; releases that do not write it have it filled in.
alter table prices add column product text;
update prices set product = (select v.product from plan_versions v where v.id = plan_version_id);
create function price_takes_its_product() returns trigger language plpgsql as $$
begin
    new.product := (select v.product from plan_versions v where v.id = new.plan_version_id);
    return new;
end $$;
create trigger prices_take_their_product before insert or update of plan_version_id, product on prices
    for each row execute function price_takes_its_product();
alter table prices
    alter column product set not null,
    add constraint prices_of_product unique (id, product);
alter table checkouts
    drop constraint checkouts_price_id_fkey,
    add constraint checkouts_price_of_product foreign key (price_id, product) references prices (id, product);
alter table subscriptions
    drop constraint subscriptions_price_id_fkey,
    add constraint subscriptions_price_of_product foreign key (price_id, product) references prices (id, product);

-- And the tenant that a checkout names is one of that product.
alter table tenants add constraint tenants_of_product unique (organization_id, id, product);
alter table checkouts
    add constraint checkouts_tenant_of_product
        foreign key (organization_id, tenant_id, product) references tenants (organization_id, id, product);

-- What is bound into a secret's ciphertext. 1: scope and owner. 2: scope, organization, owner and name, so that it does not
-- open under another name either. Only who has the master key can bring a row from one to the other: replacing the master
-- key does.
alter table sealed_secrets add column format smallint not null default 1;
