// What endpoints are called: "FLUX.2 Klein 4B" for "local.flux2-klein-4b.image".

/** The names by key, asked for once, when somebody is to see one. Tells "changed". */
export class EndpointNames extends EventTarget {
  #api;
  #isAsked = false;

  names = new Map();

  constructor(api) {
    super();
    this.#api = api;
  }

  async load() {
    if (this.#isAsked) return;
    this.#isAsked = true;
    try {
      const { items } = await this.#api.get("/-/api/endpoints");
      this.names = new Map(items.map(({ endpointKey, displayName }) => [endpointKey, displayName]));
      this.dispatchEvent(new CustomEvent("changed"));
    } catch {
      this.#isAsked = false; // until then their keys do
    }
  }
}
