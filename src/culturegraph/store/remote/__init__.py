"""A published graph in somebody else's SPARQL 1.1 store: how it lies there, is asked, and gets there.

    generation   what the graphs of one generation are called, and which generation is published
    wording      a query of ours in the words of the store: its graphs under the names of the generation
    upstream     requests: one endpoint, several replicas, credentials, limits
    dataset      the generation as a dataset, the second implementation of `rdf.dataset`
    bounded      what was asked for last, kept
    opening      the snapshot that a server reads: dataset, manifest, and indexes made from it
    graph_store  writing: the Graph Store Protocol, or updates where there is none
    publishing   a snapshot into a new generation: load, verify, switch

Why generations have graph names of their own: a reader must never see half of one and half of another, on any engine.
The protocol has no transaction over several requests, and a default graph that is only one cannot be replaced in one
step. So a generation is written under names that nobody reads yet, the merge too, and one triple says which generation
is read (`generation.POINTER`). Every request names its dataset (`default-graph-uri`, `named-graph-uri`), so that it
does not matter what an engine takes for its default graph: nothing, what was loaded without a name, or the union of
all graphs. Readers see the graphs by their own names: `wording` puts them in.
"""
