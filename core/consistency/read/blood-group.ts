// SPDX-License-Identifier: Apache-2.0
import type { Reading } from '../facts.ts'
import type { Knowledge } from '../knowledge.ts'
import { codingsOf, LOINC, textOf } from './codes.ts'

/** ABO group and Rh factor, as far as a result states them. */
export interface BloodGroup {
  readonly abo?: string
  readonly rh?: string
}

/** A blood group result; `value` is null when its words are not understood. */
export interface BloodGroupResult {
  readonly pointer: string
  readonly value: BloodGroup | null
}

const NONE: readonly BloodGroupResult[] = []

/** The blood groups that an Observation about the patient states, in its value or its components. */
export function bloodGroupsOf(
  { item: { resource } }: Reading,
  knowledge: Knowledge,
): readonly BloodGroupResult[] {
  if (Array.isArray(resource['focus'])) return NONE
  const components = Array.isArray(resource['component'])
    ? (resource['component'] as Record<string, unknown>[])
    : []
  const whole = resultOf(resource, '', knowledge)
  if (components.length === 0) return whole
  return [...whole, ...components.flatMap((part, i) => resultOf(part, `/component/${i}`, knowledge))]
}

function resultOf(
  part: Readonly<Record<string, unknown>>,
  pointer: string,
  knowledge: Knowledge,
): readonly BloodGroupResult[] {
  const states = codingsOf(part['code'])
    .filter(({ system }) => system === LOINC)
    .map(({ code }) => knowledge.bloodGroups.get(code))
    .find((known) => known !== undefined)
  if (states === undefined) return NONE
  const element = ['valueCodeableConcept', 'valueString'].find((name) => part[name] !== undefined)
  if (element === undefined) return NONE
  return [{ pointer: `${pointer}/${element}`, value: limitTo(states, understood(part[element])) }]
}

/** What a concept says in its text and displays together; null when one of them is not understood or contradicts. */
function understood(value: unknown): BloodGroup | null {
  const { text } = (value ?? {}) as { text?: unknown }
  const words = [textOf(value), textOf(text), ...codingsOf(value).map(({ display }) => display)].filter(
    (one) => one !== '',
  )
  const groups = words.map(parse).filter((group) => group !== null)
  const [abo, rh] = [new Set(groups.flatMap((g) => g.abo ?? [])), new Set(groups.flatMap((g) => g.rh ?? []))]
  if (groups.length === 0 || abo.size > 1 || rh.size > 1) return null
  return { ...stated('abo', abo), ...stated('rh', rh) }
}

function stated(name: 'abo' | 'rh', values: ReadonlySet<string>): BloodGroup {
  const [value] = values
  return value === undefined ? {} : { [name]: value }
}

/** A code that stands for one of the two says nothing of the other. */
function limitTo(states: string, group: BloodGroup | null): BloodGroup | null {
  if (group === null) return null
  const { abo, rh } = group
  const limited = {
    ...(abo !== undefined && states.includes('abo') ? { abo } : {}),
    ...(rh !== undefined && states.includes('rh') ? { rh } : {}),
  }
  return Object.keys(limited).length > 0 ? limited : null
}

const WORDS =
  /^(?:blood\s+)?(?:group|type|abo)?[\s:,]*(AB|A|B|O)?[\s,]*(?:(?:rh(?:esus)?)?(?:\s*factor)?[\s(]*(?:d\b)?[)\s]*(positive|negative|pos|neg|\+|-))?\s*(?:\(finding\))?$/i

function parse(words: string): BloodGroup | null {
  const [, abo, rh] = WORDS.exec(words.trim()) ?? []
  if (abo === undefined && rh === undefined) return null
  return {
    ...(abo === undefined ? {} : { abo: abo.toUpperCase() }),
    ...(rh === undefined ? {} : { rh: /^(pos|\+)/i.test(rh) ? 'Rh positive' : 'Rh negative' }),
  }
}
