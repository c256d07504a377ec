#+ from: "1.0.0"
#+ to: "2.0.0"
#+ title:
#+   es: "dateIssued pasa a llamarse issued"
#+   en: "dateIssued is called issued"
#+ description:
#+   es: "El dominio nuevo, cg:NationalNorm, añade tipos; el dato no cambia."
#+   en: "The new domain, cg:NationalNorm, adds types; the datum does not change."
PREFIX cg: <https://w3id.org/culturegraph/ontology/>

DELETE { GRAPH ?graph { ?norm cg:dateIssued ?date } }
INSERT { GRAPH ?graph { ?norm cg:issued ?date } }
WHERE { GRAPH ?graph { ?norm cg:dateIssued ?date } }
