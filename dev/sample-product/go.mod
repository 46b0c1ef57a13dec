module tenantry/dev/sample-product

go 1.26.0
