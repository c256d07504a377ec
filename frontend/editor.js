// The SPARQL editor of /sparql: YASGUI on our own endpoint. The page works without it (a form and server-made results);
// this script takes the place of the form, and takes its pictures from the same server-made pages.
import Yasgui from "@zazuko/yasgui";
import "@zazuko/yasgui/build/yasgui.min.css";
import "./editor.css";

const mount = document.getElementById("editor");
const words = JSON.parse(mount.dataset.words);
const language = document.documentElement.lang;
// As on every page: the address names the language only where the reader chose it there.
const chosen = new URLSearchParams(location.search).get("lang") ? `lang=${language}&` : "";
const spoken = { "Accept-Language": language };
const endpoint = new URL("/sparql", location.href).href;
const labels = new Map();

// Suggestions come from the classes and properties that the graph really has, most used first.
function complete(kind) {
  return {
    name: `graph-${kind}`,
    bulk: false,
    persistenceId: null,
    get: async (_yasqe, token) => {
      const text = (token && (token.autocompletionString || token.string)) || "";
      const address = `/suggest/${kind}?q=${encodeURIComponent(text.replace(/[<>]/g, ""))}`;
      const answer = await fetch(address, { headers: spoken });
      if (!answer.ok) return [];
      const found = await answer.json();
      found.forEach((item) => labels.set(item.iri, `${item.label} (${item.count})`));
      return found.map((item) => item.iri);
    },
    postProcessSuggestion: (_yasqe, token, iri) => {
      const text =
        token.tokenPrefix && token.tokenPrefixUri && iri.startsWith(token.tokenPrefixUri)
          ? token.tokenPrefix + iri.slice(token.tokenPrefixUri.length)
          : `<${iri}>`;
      labels.set(text, labels.get(iri));
      return text;
    },
    postprocessHints: (_yasqe, hints) =>
      hints.map((hint) => ({ ...hint, displayText: [hint.text, labels.get(hint.text)].filter(Boolean).join(" · ") })),
  };
}

// A view of the answer that the server draws: the same one as on the page without JavaScript.
function view(name, priority) {
  return class {
    constructor(yasr) {
      this.yasr = yasr;
      this.priority = priority;
      this.label = words[name];
    }
    canHandleResults() {
      return Boolean(this.yasr.results && !this.yasr.results.getError());
    }
    getIcon() {
      return undefined;
    }
    async draw() {
      const target = this.yasr.resultsEl;
      const query = new URL(this.yasr.config.getPlainQueryLinkToEndpoint()).searchParams.get("query");
      target.textContent = words.loading;
      const answer = await fetch(`/sparql?${chosen}view=${name === "program" ? "table" : name}`, {
        method: "POST",
        headers: { Accept: "text/html", ...spoken },
        body: new URLSearchParams({ query }),
      });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const part = page.getElementById(name === "program" ? "take" : "answer") || page.querySelector(".problem");
      // Only a view that is still chosen may be shown: answers can overtake each other.
      if (this.yasr.getSelectedPluginName() !== `graph-${name}`) return;
      target.replaceChildren(part ? document.importNode(part, true) : document.createTextNode(words.failed));
    }
  };
}

// What YASGUI leaves unnamed for screen readers.
const NAMES = [
  [".CodeMirror textarea", "aria-label", () => words.query],
  [".yasqe_queryButton", "aria-label", () => words.run],
  [".tabContextButton", "aria-label", () => words.tabs],
  [".tableFilter", "aria-label", () => words.filter],
  [".tableSizer", "aria-label", () => words.size],
  [".dataTables_scrollBody, .dt-scroll-body", "tabindex", () => "0"],
  [".CodeMirror-scroll", "tabindex", () => "0"],
  [".CodeMirror-scroll", "role", () => "group"],
  [".CodeMirror-scroll", "aria-label", () => words.query],
  [".addTab", "role", () => "tab"],
  [".addTab", "aria-label", () => words.new],
  [".autocomplete", "aria-label", () => words.endpoint],
];
// What YASGUI writes in English and has no setting for, by its own words.
const WRITTEN = ".context-menu-list *, .yasr span, .yasr option, .yasr button, .yasr a";
function translateParts() {
  const instead = words.instead;
  for (const part of mount.querySelectorAll(WRITTEN)) {
    const text = part.firstChild;
    if (part.childNodes.length === 1 && text.nodeType === Node.TEXT_NODE && instead[text.data]) text.data = instead[text.data];
  }
  for (const attribute of ["title", "placeholder", "aria-label"])
    for (const part of mount.querySelectorAll(`[${attribute}]`)) {
      const told = instead[part.getAttribute(attribute)];
      if (told) part.setAttribute(attribute, told);
    }
}
function nameParts() {
  translateParts();
  for (const [selector, attribute, value] of NAMES)
    for (const part of mount.querySelectorAll(selector))
      if (part.getAttribute(attribute) !== value()) part.setAttribute(attribute, value());
  for (const head of mount.querySelectorAll("th.dt-orderable-none .dt-column-title"))
    if (!head.textContent) head.textContent = "n.º";
}

function relabel(Yasr, name, label) {
  const Stock = Yasr.plugins[name];
  const Labelled = class extends Stock {
    constructor(yasr) {
      super(yasr);
      this.label = label;
      // It leads to a page elsewhere, in English.
      this.helpReference = undefined;
    }
    getIcon() {
      return undefined;
    }
  };
  Yasr.registerPlugin(name, Labelled);
}

// How many rows there are and how long that took, in the reader's words.
function tellResults(Yasr) {
  Yasr.prototype.updateResponseInfo = function () {
    const rows = this.results && this.results.getBindings();
    const seconds = this.results && this.results.getResponseTime() / 1000;
    const told = rows ? words.rows_in : words.answer_in;
    this.dataElement.classList.toggle("empty", !this.results);
    this.dataElement.textContent = this.results
      ? told.replace("_ROWS_", rows ? rows.length.toLocaleString(language) : "").replace("_SECONDS_", seconds.toLocaleString(language))
      : "";
  };
}

async function start() {
  const { Yasqe, Yasr } = Yasgui;
  Yasqe.forkAutocompleter("class", complete("class"));
  Yasqe.forkAutocompleter("property", complete("property"));
  // The stock ones ask a server elsewhere.
  Yasqe.defaults.autocompleters = ["prefixes", "variables", "graph-class", "graph-property"];
  ["table", "chart", "map", "graph", "program"].forEach((name, place) =>
    Yasr.registerPlugin(`graph-${name}`, view(name, 100 - place)),
  );
  Object.assign(Yasr.plugins.table.defaults.tableConfig.language, words.table_words);
  relabel(Yasr, "table", words.rows);
  relabel(Yasr, "response", words.response);
  tellResults(Yasr);
  Yasr.defaults.pluginOrder = ["table", "chart", "map", "graph"].map((name) => `graph-${name}`);
  Yasr.defaults.pluginOrder.push("table", "graph-program", "response");
  Yasr.defaults.defaultPlugin = "graph-table";
  const prefixes = await (await fetch("/suggest/prefix")).json();
  const form = mount.parentElement.querySelector("form.query");
  const first = form.querySelector("textarea").value;
  form.hidden = true;
  mount.hidden = false;
  const editor = new Yasgui(mount, {
    persistenceId: "culturegraph",
    autofocus: false,
    requestConfig: { endpoint, method: "POST", acceptHeaderGraph: "text/turtle,*/*;q=0.9" },
    copyEndpointOnNewTab: true,
    endpointCatalogueOptions: { getData: () => [{ endpoint }] },
    yasqe: { value: first, prefixCcApi: "/suggest/prefix", editorHeight: "22rem", persistencyExpire: 2592000 },
    tabName: words.tab,
    yasr: { prefixes },
  });
  new MutationObserver(nameParts).observe(mount, { childList: true, subtree: true });
  nameParts();
  const chooser = document.getElementById("editor-questions");
  chooser.closest("p").hidden = false;
  chooser.addEventListener("change", async () => {
    if (!chooser.value) return;
    const text = await (await fetch(`/queries/${encodeURIComponent(chooser.value)}.rq`)).text();
    const tab = editor.addTab(true, { name: chooser.value, yasqe: { value: text } });
    chooser.value = "";
    tab.query().catch(() => {});
  });
  window.editor = editor;
}

start();
