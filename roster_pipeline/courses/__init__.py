"""Which course of a product each course of a district is.

`catalogue` reads what a product has, `matching` says which course is which, `suggestions` helps a
person with the rest, `decision_files` takes many decisions at once, `sections` lists the classes of
what is mapped. `config` has what a product's file may say; it imports no frames, so that reading a
workspace is quick.
"""
