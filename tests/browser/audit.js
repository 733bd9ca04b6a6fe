// What is wrong with a page for somebody who sees little, uses the keyboard, or has a phone: functions for tests.
() => {
  const OVER_PICTURES = ".cell, .frame, .pane, .stage, .noscript";
  const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const known = new Map();

  /** Red, green, blue and opacity of any colour that CSS can say. */
  function read(colour) {
    if (!known.has(colour)) {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
      known.set(colour, [red, green, blue, alpha / 255]);
    }
    return known.get(colour);
  }

  const over = ([red, green, blue, alpha], under) => [red, green, blue].map((each, i) => each * alpha + under[i] * (1 - alpha));

  function groundOf(node) {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      const colour = read(getComputedStyle(at).backgroundColor);
      layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reduceRight((under, layer) => over(layer, under), [255, 255, 255]);
  }

  const opacityOf = (node) => (node ? Number(getComputedStyle(node).opacity) * opacityOf(node.parentElement) : 1);

  function luminance(colour) {
    const [red, green, blue] = colour.map((each) => (each / 255 <= 0.04045 ? each / 255 / 12.92 : ((each / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function contrastOf(colour, ground) {
    const [light, dark] = [luminance(colour), luminance(ground)].sort((one, other) => other - one);
    return (light + 0.05) / (dark + 0.05);
  }

  function judge(node, words, style) {
    const ground = groundOf(node);
    const [red, green, blue, alpha] = read(style.color);
    const contrast = contrastOf(over([red, green, blue, alpha * opacityOf(node)], ground), ground);
    const px = parseFloat(style.fontSize);
    const isSign = [...words.trim()].length === 1 && !/[\p{L}\p{N}]/u.test(words);
    const least = isSign || px >= 24 || (px >= 18.6 && style.fontWeight >= 700) ? 3 : 4.5;
    return contrast < least ? [`${contrast.toFixed(2)}: “${words.trim().slice(0, 40)}” in ${name(node)}`] : [];
  }

  const isShown = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const name = (node) => node.tagName.toLowerCase() + (node.id ? `#${node.id}` : "") + (node.classList.length ? `.${[...node.classList].join(".")}` : "");
  const isSkipped = (node) => node.closest(OVER_PICTURES) || node.closest(":disabled") || !isShown(node) || !isLarge(node);

  function isLarge(node) {
    const { width, height } = node.getBoundingClientRect();
    return width > 1 && height > 1;
  }

  function faint() {
    const found = new Set();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const node = texts.currentNode.parentElement;
      if (!texts.currentNode.data.trim() || node.matches("script, style, option, optgroup, noscript") || isSkipped(node)) continue;
      judge(node, texts.currentNode.data, getComputedStyle(node)).forEach((each) => found.add(each));
    }
    for (const field of document.querySelectorAll("input, textarea, select")) {
      if (isSkipped(field) || ["range", "radio", "checkbox"].includes(field.type)) continue;
      const isEmpty = !field.value && field.placeholder;
      const words = isEmpty ? field.placeholder : (field.selectedOptions?.[0]?.text ?? field.value);
      if (words) judge(field, words, getComputedStyle(field, isEmpty ? "::placeholder" : null)).forEach((each) => found.add(each));
    }
    return [...found];
  }

  function twins() {
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    return ids.filter((id, place) => ids.indexOf(id) !== place);
  }

  function moving() {
    const isLong = (each) => each.playState === "running" && each.effect.getComputedTiming().endTime > 10;
    return document.getAnimations().filter(isLong).map(({ effect }) => name(effect.target));
  }

  const scrolls = (node) => ["auto", "scroll"].includes(getComputedStyle(node).overflowX);

  /** What stands beyond the sides of the window, and cannot be scrolled to. */
  function cut() {
    const found = document.documentElement.scrollWidth > innerWidth ? [`the page is ${document.documentElement.scrollWidth} px wide`] : [];
    for (const node of document.querySelectorAll("a[href], button, input, select, textarea, summary, h1, h2")) {
      if (!isShown(node) || !isLarge(node)) continue;
      const { left, right } = node.getBoundingClientRect();
      if ((left >= -1 && right <= innerWidth + 1) || isReached(node)) continue;
      found.push(`${name(node)} from ${Math.round(left)} to ${Math.round(right)} px`);
    }
    return found;
  }

  function isReached(node) {
    for (let at = node.parentElement; at; at = at.parentElement) if (scrolls(at)) return true;
    return false;
  }

  /** The controls that the Tab key has to come by. */
  function controls() {
    const isOne = (node) => node.tabIndex >= 0 && !node.disabled && isShown(node) && !node.closest("[inert]");
    const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")].filter(isOne);
    return all.filter((node) => node.type !== "radio" || isInTurn(node, all)).map(number);
  }

  function isInTurn(radio, all) {
    const group = all.filter(({ type, name: each }) => type === "radio" && each === radio.name);
    return radio === (group.find(({ checked }) => checked) ?? group[0]);
  }

  let last = 0;
  function number(node) {
    node.dataset.tab ??= `${(last += 1)} ${name(node)}`;
    return node.dataset.tab;
  }

  /** The next Tab goes to the first control. */
  function begin() {
    document.body.tabIndex = -1;
    document.body.focus();
  }

  /** Where the focus is: which control, whether that can be told by looking, and whether it can be looked at. */
  function focus() {
    const node = document.activeElement;
    if (!node || node === document.body) return null;
    const marked = [node, node.closest("label"), node.nextElementSibling].filter(Boolean).some(isMarked);
    return { control: number(node), isMarked: marked, isCovered: isCovered(node) };
  }

  function isMarked(node) {
    return ["", "::before", "::after"].some((part) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(node, part || null);
      return (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || (part === "" && boxShadow !== "none");
    });
  }

  function isCovered(node) {
    const shown = node.closest("label") ?? node;
    const { left, top, width, height } = shown.getBoundingClientRect();
    const at = document.elementFromPoint(left + width / 2, top + Math.min(height, innerHeight) / 2);
    return Boolean(at) && !shown.contains(at) && !at.contains(shown);
  }

  window.audit = { faint, twins, moving, cut, controls, begin, focus };
}
