// A shop that asks for its lamp when it is there; with what the server has rendered it only hydrates.
import { createElement as h, useEffect, useState } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";

export function Shop({ given }) {
  const [lamp, setLamp] = useState(given);
  useEffect(() => {
    if (!lamp) fetch("/lamp.json").then((answer) => answer.json()).then(setLamp);
  }, []);
  if (!lamp) return h("p", null, "Loading…");
  return h("main", null, h("h1", null, lamp.name), h("p", { className: "price" }, lamp.price));
}

const root = document.querySelector("#root");
if (window.GIVEN) hydrateRoot(root, h(Shop, { given: window.GIVEN }));
else createRoot(root).render(h(Shop));
