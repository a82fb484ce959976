// dist/react.js, dist/vue.js, dist/svelte.js: bundled and minified, as they would be served.
import { readFile } from "node:fs/promises";
import { build } from "esbuild";
import { compile } from "svelte/compiler";

const svelte = {
  name: "svelte",
  setup(steps) {
    steps.onLoad({ filter: /\.svelte$/ }, async ({ path }) => ({
      contents: compile(await readFile(path, "utf8"), { filename: path }).js.code,
    }));
  },
};

await build({
  entryPoints: ["react.js", "vue.js", "svelte.js"],
  outdir: "dist",
  bundle: true,
  minify: true,
  define: { "process.env.NODE_ENV": '"production"' },
  plugins: [svelte],
  logLevel: "warning",
});
