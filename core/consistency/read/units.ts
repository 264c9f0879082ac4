// SPDX-License-Identifier: Apache-2.0
import { COLLISIONS, SPELLINGS } from './unit-spellings.ts'

/** What a unit measures and how to get from it to the base units. */
export interface Unit {
  /** Exponents of metre, gram, second, kelvin, mole and unit of activity; equal for units of one kind. */
  readonly kind: string
  readonly factor: number
  /** Added after the factor; only temperatures have one. */
  readonly offset: number
}

type Dims = readonly [number, number, number, number, number, number]
interface Atom {
  readonly factor: number
  readonly dims: Dims
  readonly offset?: number
  /** False where UCUM allows no prefix. */
  readonly metric: boolean
}

const METRE: Dims = [1, 0, 0, 0, 0, 0]
const GRAM: Dims = [0, 1, 0, 0, 0, 0]
const SECOND: Dims = [0, 0, 1, 0, 0, 0]
const KELVIN: Dims = [0, 0, 0, 1, 0, 0]
const MOLE: Dims = [0, 0, 0, 0, 1, 0]
const ACTIVITY: Dims = [0, 0, 0, 0, 0, 1]
const NUMBER: Dims = [0, 0, 0, 0, 0, 0]
const VOLUME: Dims = [3, 0, 0, 0, 0, 0]
const PRESSURE: Dims = [-1, 1, -2, 0, 0, 0]

/**
 * The units of UCUM that clinical results use, with UCUM's values (unitsofmeasure.org). An enzyme unit and an
 * international unit are one kind here, because laboratories write both for the same result. Mole is a base unit.
 */
const ATOMS: ReadonlyMap<string, Atom> = new Map(
  Object.entries<Atom>({
    m: { factor: 1, dims: METRE, metric: true },
    '[in_i]': { factor: 0.0254, dims: METRE, metric: false },
    '[ft_i]': { factor: 0.3048, dims: METRE, metric: false },
    g: { factor: 1, dims: GRAM, metric: true },
    '[lb_av]': { factor: 453.59237, dims: GRAM, metric: false },
    '[oz_av]': { factor: 28.349523125, dims: GRAM, metric: false },
    s: { factor: 1, dims: SECOND, metric: true },
    min: { factor: 60, dims: SECOND, metric: false },
    h: { factor: 3600, dims: SECOND, metric: false },
    d: { factor: 86_400, dims: SECOND, metric: false },
    K: { factor: 1, dims: KELVIN, metric: true },
    Cel: { factor: 1, dims: KELVIN, offset: 273.15, metric: false },
    '[degF]': { factor: 5 / 9, dims: KELVIN, offset: (459.67 * 5) / 9, metric: false },
    mol: { factor: 1, dims: MOLE, metric: true },
    eq: { factor: 1, dims: MOLE, metric: true },
    L: { factor: 0.001, dims: VOLUME, metric: true },
    l: { factor: 0.001, dims: VOLUME, metric: true },
    Pa: { factor: 1000, dims: PRESSURE, metric: true },
    'm[Hg]': { factor: 133_322_000, dims: PRESSURE, metric: true },
    U: { factor: 1, dims: ACTIVITY, metric: true },
    '[IU]': { factor: 1, dims: ACTIVITY, metric: true },
    '[iU]': { factor: 1, dims: ACTIVITY, metric: true },
    '%': { factor: 0.01, dims: NUMBER, metric: false },
    '10*': { factor: 10, dims: NUMBER, metric: false },
    '10^': { factor: 10, dims: NUMBER, metric: false },
  }),
)
const PREFIXES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    k: 1e3,
    h: 1e2,
    da: 1e1,
    d: 1e-1,
    c: 1e-2,
    m: 1e-3,
    u: 1e-6,
    n: 1e-9,
    p: 1e-12,
    f: 1e-15,
  }),
)

const known = new Map<string, Unit | null>()
/** Distinct spellings that are remembered; a hostile record cannot grow the table further. */
const MEMORY = 2000

/** A unit by its UCUM code, or by a spelling that laboratories use; null when it is not known. */
export function unitOf(text: string): Unit | null {
  const before = known.get(text)
  if (before !== undefined) return before
  const collision = COLLISIONS.get(text)
  const unit =
    collision !== undefined ? parse(collision) : (parse(text) ?? parse(SPELLINGS.get(text.toLowerCase())))
  if (known.size < MEMORY) known.set(text, unit)
  return unit
}

/** Converts between units of one kind. */
export function convert(value: number, from: Unit, to: Unit): number {
  return (value * from.factor + from.offset - to.offset) / to.factor
}

/** Parses UCUM without its parentheses: terms joined by `.` and `/`. An annotation in braces counts as one. */
function parse(code: string | undefined): Unit | null {
  if (code === undefined || code.length > 40) return null
  const text = code.replaceAll(/\{[^{}]*\}/g, '')
  if (text === '') return code === '' ? null : { kind: NUMBER.join(), factor: 1, offset: 0 }
  const terms = text.split(/(?=[./])/)
  const dims = [0, 0, 0, 0, 0, 0]
  let factor = 1
  let offset = 0
  for (const [i, term] of terms.entries()) {
    const sign = term.startsWith('/') ? -1 : 1
    const body = /^[./]/.test(term) ? term.slice(1) : term
    if (body === '' && (i > 0 || sign < 0) && terms.length > 1) continue
    const part = termOf(body)
    if (!part || (part.offset !== 0 && terms.length > 1)) return null
    factor *= part.factor ** sign
    part.dims.forEach((exponent, axis) => (dims[axis] = (dims[axis] ?? 0) + sign * exponent))
    offset = part.offset
  }
  return { kind: dims.join(), factor, offset }
}

function termOf(text: string): { factor: number; dims: readonly number[]; offset: number } | null {
  if (/^\d+$/.test(text)) return { factor: Number(text), dims: NUMBER, offset: 0 }
  const [, name = '', digits] = /^(.*?)([+-]?\d+)?$/.exec(text) ?? []
  const exponent = digits === undefined ? 1 : Number(digits)
  const atom = ATOMS.get(name) ?? prefixed(name)
  if (!atom || Math.abs(exponent) > 15) return null
  if (atom.offset !== undefined && exponent !== 1) return null
  return {
    factor: atom.factor ** exponent,
    dims: atom.dims.map((one) => one * exponent),
    offset: atom.offset ?? 0,
  }
}

function prefixed(name: string): Atom | null {
  for (const length of [1, 2]) {
    const scale = PREFIXES.get(name.slice(0, length))
    const atom = ATOMS.get(name.slice(length))
    if (scale !== undefined && atom?.metric === true) return { ...atom, factor: atom.factor * scale }
  }
  return null
}
