"""Who has an account at a product: from an accepted roster to a SCIM 2.0 service provider.

`desired.desired` says who should have one, `plan.plan` what would have to be done, `push.push`
does it. A person is known by source and sourcedId; an account is ours if we made it or adopted it,
and no other is ever touched. No password is read, sent or kept.
"""
