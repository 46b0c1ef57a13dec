module tenantry/dev/cluster/node

go 1.26.0
