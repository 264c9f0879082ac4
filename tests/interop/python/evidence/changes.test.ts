// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { describeWithPython } from '../software.ts'
import { changesOf, flipsOf, longTextsOf, swapsOf, type Changed } from './changes.ts'
import { FILES, kindOf, named, PINS, verdictsInNode, verdictsInPython, type Case } from './verdicts.ts'

/** Files with no member that another of their kind has not. */
const LESS = ['heads-fork', 'checkpoints-prefix-power', 'promise-genesis', 'promise', 'leaf-form-version']
/** Files that together have a text of every sort. */
const LONG = ['heads-links', 'promise']
const names = Object.keys(FILES)
const bytesOf = (name: string): Uint8Array => FILES[name] ?? new Uint8Array(0)
const othersThan = (name: string) =>
  names
    .filter((other) => other !== name && kindOf(other) === kindOf(name))
    .map((other) => [other, bytesOf(other)] as const)

/** What may be done to each frozen file, the same in every run. */
function casesOf(change: (name: string) => readonly Changed[]): readonly Case[] {
  return names.flatMap((name) =>
    change(name).map(({ what, bytes }) => ({ name: `${name}, ${what}`, bytes, pins: PINS })),
  )
}

describeWithPython('a changed evidence file', () => {
  it.each([
    ['with other values', (name: string) => (LESS.includes(name) ? [] : changesOf(bytesOf(name))), 1200],
    ['with long texts', (name: string) => (LONG.includes(name) ? longTextsOf(bytesOf(name)) : []), 100],
    [
      'with values of other files and places',
      (name: string) => (LESS.includes(name) ? [] : swapsOf(bytesOf(name), othersThan(name))),
      400,
    ],
    ['with another bit', (name: string) => flipsOf(bytesOf(name), 16), 200],
  ] as const)('%s is judged by both alike', async (_, change, least) => {
    const cases = casesOf(change)
    const here = await verdictsInNode(cases)
    expect(named(cases, verdictsInPython(cases))).toEqual(named(cases, here))
    expect(cases.length).toBeGreaterThan(least)
  })
})
