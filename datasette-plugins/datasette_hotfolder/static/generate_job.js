// From what stands in the form to a job, and from a job or a picture back to the form (pure).

import { pixelsOf, SIZE_PARAMS, sizeFromParams, USUAL_SIZE } from "./sizes.js";

export const PICTURES_MOST = 256;
const ABOUT_KEYS = ["title", "keywords", "collection", "priority", "notBefore", "review"];

/** Whether a job may say how large the pictures are; else that follows from the reference. */
export const takesSize = ({ requestSchema }) => "width" in requestSchema.properties;

/** The params that fields of their own show, in their order; the rest has a place in the form already, or is hidden. */
export function fieldNames(endpoint) {
  const { properties, order = [] } = endpoint.requestSchema;
  const names = [...order.filter((name) => name in properties), ...Object.keys(properties).filter((name) => !order.includes(name))];
  const isElsewhere = (name) => name === "seed" || (takesSize(endpoint) && SIZE_PARAMS.includes(name));
  return names.filter((name) => !isElsewhere(name) && !properties[name].ui?.hidden);
}

/**
 * The job that a draft asks for. A draft is {endpointKey, values (by param), size, seed, count, matrix ([{name, text}]),
 * preset, vars, refs, about}. What the preset gives already is left to it.
 */
export function buildJob(draft, endpoint, preset = null) {
  const axes = axesOf(draft.matrix, endpoint);
  const given = { ...ownValues(draft, endpoint, preset), ...seedParam(draft, endpoint), ...sizeParams(draft, endpoint, preset, axes) };
  const params = Object.fromEntries(Object.entries(given).filter(([name]) => !(name in axes)));
  const refs = draft.refs.map(({ media, sha256, path, role }) => present({ media, sha256, path, role }));
  return present({
    endpointKey: endpoint.endpointKey,
    preset: preset?.name,
    vars: preset && filledVars(draft.vars),
    params,
    refs: refs.length ? refs : null,
    count: draft.count > 1 && !("seed" in axes) ? draft.count : null,
    matrix: Object.keys(axes).length ? axes : null,
    ...draft.about,
  });
}

/** How many pictures a draft asks for. */
export function countPictures(draft, endpoint) {
  const axes = axesOf(draft.matrix, endpoint);
  const times = "seed" in axes ? 1 : Math.max(1, draft.count);
  return Object.values(axes).reduce((product, values) => product * values.length, times);
}

/** What a job says, as changes to a draft; `multiple` is that of its endpoint. */
export function draftFromJob(job, multiple) {
  const params = job.params ?? {};
  const lists = Object.entries(job.matrix ?? {});
  return {
    endpointKey: job.endpointKey,
    values: Object.fromEntries(Object.entries(params).filter(([name]) => name !== "seed" && !SIZE_PARAMS.includes(name))),
    size: sizeFromParams(params, multiple) ?? USUAL_SIZE,
    seed: Number.isInteger(params.seed) && params.seed >= 0 ? params.seed : null,
    count: job.count ?? 1,
    matrix: lists.map(([name, values]) => ({ name, text: values.join("\n") })),
    preset: job.preset ?? null,
    vars: job.vars ?? {},
    refs: (job.refs ?? []).map(referenceOf),
    about: present(Object.fromEntries(ABOUT_KEYS.map((key) => [key, job[key]]))),
  };
}

/** The parameters of a picture that was made here, as changes to a draft. */
export function draftFromPicture({ generation, inputs }, multiple) {
  const { endpointKey, params, seed } = generation;
  const refs = inputs.filter(({ sha256, mediaId }) => sha256 || mediaId).map(inputReference);
  const known = seed === undefined ? params : { ...params, seed }; // null asks for another one
  return { ...draftFromJob({ endpointKey, params: known }, multiple), refs };
}

function referenceOf(given) {
  const { media, sha256, path, role } = typeof given === "string" ? { path: given } : given;
  return present({ media, sha256, path, role, name: path ?? media ?? sha256?.slice(0, 12), thumbnailUrl: media && thumbnailOf(media) });
}

function inputReference({ sha256, mediaId, role, originalName, thumbnailUrl }) {
  const source = sha256 ? { sha256 } : { media: mediaId }; // the content stays when the picture goes
  return present({ ...source, role, name: originalName ?? mediaId ?? sha256.slice(0, 12), thumbnailUrl });
}

const thumbnailOf = (mediaId) => `/media/${encodeURIComponent(mediaId)}/thumbnail`;

/** The values of fields, without those that the preset, or the endpoint by itself, has as well. */
function ownValues({ values, vars }, endpoint, preset) {
  const { properties } = endpoint.requestSchema;
  const usual = (name) => (preset && name in preset.params ? fillPlaces(preset.params[name], vars) : properties[name].default);
  const isOwn = (name) => values[name] !== undefined && JSON.stringify(values[name]) !== JSON.stringify(usual(name) ?? undefined);
  return Object.fromEntries(fieldNames(endpoint).filter(isOwn).map((name) => [name, values[name]]));
}

function seedParam({ seed }, endpoint) {
  return seed !== null && "seed" in endpoint.requestSchema.properties ? { seed } : {};
}

/** Resolution and ratio, or pixels for an endpoint that knows only these; nothing where the matrix says another size. */
function sizeParams({ size }, endpoint, preset, axes) {
  const { requestSchema, limits } = endpoint;
  if (!takesSize(endpoint) || ["size", "width", "height"].some((name) => name in axes)) return {};
  if (preset && isSame(sizeFromParams(preset.params, limits.sizeMultiple), size)) return {};
  if ("resolution" in requestSchema.properties) return { resolution: size.resolution, aspectRatio: size.ratio };
  return pixelsOf(size, limits.sizeMultiple) ?? {};
}

const isSame = (one, other) => one !== null && one.resolution === other.resolution && one.ratio === other.ratio;

/** The lists of values by param, as far as there are any. */
function axesOf(matrix, { requestSchema }) {
  const axes = matrix.map(({ name, text }) => [name, parseValues(text, requestSchema.properties[name])]);
  return Object.fromEntries(axes.filter(([name, values]) => name in requestSchema.properties && values.length));
}

/** The values of a list as typed: one a line; numbers and switches also between commas or blanks. */
export function parseValues(text, schema) {
  const isText = schema?.type === "string" && !schema.enum;
  const words = text.split(isText ? "\n" : /[\s,;]+/).map((each) => each.trim());
  return words.filter(Boolean).map((word) => asType(word, schema?.type));
}

function asType(word, type) {
  if (type === "boolean") return { true: true, on: true, yes: true, false: false, off: false, no: false }[word.toLowerCase()] ?? word;
  const number = Number(word);
  return (type === "integer" || type === "number") && !Number.isNaN(number) ? number : word;
}

/** A text of a preset with its places filled, as far as there is something to fill them with. */
export function fillPlaces(text, vars) {
  if (typeof text !== "string") return text;
  return text.replace(/\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_-]*)\}/g, (found, name) => (name ? vars[name] || found : found[0]));
}

function filledVars(vars) {
  const filled = present(vars);
  return Object.keys(filled).length ? filled : null;
}

function present(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== ""));
}
