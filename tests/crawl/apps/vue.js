// The same in Vue.
import { createApp, h, onMounted, ref } from "vue";

createApp({
  setup() {
    const lamp = ref(null);
    onMounted(async () => { lamp.value = await (await fetch("/lamp.json")).json(); });
    return () => lamp.value
      ? h("main", [h("h1", lamp.value.name), h("p", { class: "price" }, lamp.value.price)])
      : h("p", "Loading…");
  },
}).mount("#app");
