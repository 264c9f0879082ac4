// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { planAws } from '#cli/cloud/aws/plan.ts'
import { ROLE_NAMES } from '#functions/host/role-names.ts'
import { factsOf as awsFacts } from '#infra/aws/facts.ts'
import { DEFAULTS } from '#infra/aws/settings.ts'
import { storesTemplateOf, templateOf } from '#infra/aws/template.ts'
import { CALLS_PER_HOUR, factsOf as azureFacts, POLLED_MS } from '#infra/azure/facts.ts'
import { azureTemplateOf, DEFAULTS as AZURE_DEFAULTS } from '#infra/azure/template.ts'
import { IDLE_CALLS } from '#infra/prices/idle-calls.ts'
import { idleCost, idleCostLines, type TemplateFacts } from '#infra/prices/idle-cost.ts'
import { costOf, pricesOf, totalOf, type PriceName } from '#infra/prices/prices.ts'

const PROVIDERS = ['aws', 'azure'] as const
const FACTS: Readonly<Record<(typeof PROVIDERS)[number], TemplateFacts>> = {
  aws: awsFacts(storesTemplateOf('prod', DEFAULTS), templateOf('prod', DEFAULTS)),
  azure: azureFacts('prod', azureTemplateOf('prod', AZURE_DEFAULTS)),
}

describe.each(PROVIDERS)('the prices of %s', (provider) => {
  const { prices, region, found } = pricesOf(provider)
  const all = Object.entries(prices)

  it('are of a region and a day, and each has a page, or says that it has none and why', () => {
    expect([region, found]).toEqual([
      expect.stringMatching(/^[a-z0-9-]+$/),
      expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    ])
    for (const [name, { usd, per, unit, source, note }] of all) {
      expect([name, usd >= 0, per > 0, unit.length > 0]).toEqual([name, true, true, true])
      if (source === null) expect([name, note]).toEqual([name, expect.any(String)])
      else expect(source).toMatch(/^https:\/\//)
    }
  })

  it('make a sum that no free amount raises, and that is proportional beyond them', () => {
    const names = fc.constantFrom(...(Object.keys(prices) as PriceName[]))
    const amounts = fc.array(fc.record({ what: fc.constant('x'), price: names, amount: fc.nat(1e9) }))
    fc.assert(
      fc.property(amounts, (given) => {
        const { usd, beyondFreeUsd } = totalOf(
          provider,
          given.map((one) => costOf(provider, one)),
        )
        // Sums are made in another order, so that their last digits differ.
        const slack = 1e-9 * (1 + usd)
        expect(beyondFreeUsd).toBeLessThanOrEqual(usd + slack)
        const twice = totalOf(
          provider,
          [...given, ...given].map((one) => costOf(provider, one)),
        )
        expect(Math.abs(twice.usd - 2 * usd)).toBeLessThanOrEqual(slack)
        expect(twice.beyondFreeUsd).toBeGreaterThanOrEqual(2 * beyondFreeUsd - slack)
      }),
      { numRuns: 100 },
    )
  })
})

/** Of the minutes of a timer: each, each so many, or one. */
function callsPerHour(minutes: string): number {
  if (minutes === '*') return 60
  return minutes.startsWith('*/') ? 60 / Number(minutes.slice(2)) : 1
}

describe('the cost of a deployment that nobody uses', () => {
  it('is below 10 USD a month without keys, whatever is free', () => {
    for (const provider of PROVIDERS) expect(idleCost(provider, FACTS[provider]).usd).toBeLessThan(10)
  })

  it.each(PROVIDERS)('on %s grows with each thing that costs, and not with its own lines', (provider) => {
    const facts = FACTS[provider]
    const { usd, keysUsd } = idleCost(provider, facts)
    const [first] = facts.scheduled
    if (!first) throw new Error('nothing is scheduled')
    const more: readonly Partial<TemplateFacts>[] = [
      { alarms: facts.alarms + 1 },
      { scheduled: [...facts.scheduled, first] },
      ...(provider === 'azure'
        ? [{ queryAlarms: [...facts.queryAlarms, 5] }, { polledMs: [1000, 1000] }, { querySeries: 9 }]
        : [{ metrics: 9 }]),
    ]
    for (const change of more) expect(idleCost(provider, { ...facts, ...change }).usd).toBeGreaterThan(usd)
    expect(idleCost(provider, { ...facts, keys: facts.keys + 1 }).usd).toBe(usd)
    if (provider === 'aws') expect(idleCost(provider, { ...facts, keys: 8 }).keysUsd).toBe(keysUsd + 5)
  })

  it('counts what the templates have: each role with a schedule, each alarm, each key', () => {
    const roles = (facts: TemplateFacts) => facts.scheduled.map(({ role }) => role).toSorted()
    // A bridge has one more.
    const ofHome = Object.keys(IDLE_CALLS).filter((role) => role !== 'checker')
    expect(roles(FACTS.aws)).toEqual(ofHome.toSorted())
    expect(roles(FACTS.azure)).toEqual(roles(FACTS.aws))
    expect(FACTS.aws).toMatchObject({ alarms: 39, metrics: 5, keys: 3 })
    expect(FACTS.azure).toMatchObject({ alarms: 11, queryAlarms: [15, 15], querySeries: 4, keys: 6 })
  })

  it('knows the timers and feeds that roles register on Azure', () => {
    const entries = [...ROLE_NAMES, 'mirror', 'bridge', 'checker']
      .map((role) => join('functions', role, 'azure.ts'))
      .filter((file) => existsSync(file))
      .map((file) => ({ role: file.split('/')[1] ?? '', text: readFileSync(file, 'utf8') }))
    const timers = entries.flatMap(({ role, text }) => {
      // Of those that rest while there is nothing to do, the schedule of that.
      const rests = text.slice(Math.max(0, text.indexOf('rests:')))
      const [, minutes] = /schedule: '\d+ (\S+) \* \* \* \*'/.exec(rests) ?? []
      return minutes === undefined ? [] : [[role, callsPerHour(minutes)]]
    })
    expect(Object.fromEntries(timers)).toEqual(CALLS_PER_HOUR)
    const polled = entries
      .filter(({ text }) => text.includes('table: '))
      .map(({ text }) => Number((/pollMs: ([\d_]+)/.exec(text)?.[1] ?? '1000').replaceAll('_', '')))
    expect(polled.toSorted((a, b) => a - b)).toEqual(POLLED_MS)
  })

  it('is in the plan of a deployment, with the region of its prices and the day they were looked up', () => {
    const deployment = {
      v: 1,
      provider: 'aws',
      stage: 'prod',
      region: 'eu-central-1',
      parameters: {},
      home: null,
      demo: false,
    } as const
    const { idle, lines } = planAws({
      ...deployment,
      institutions: [{ id: 'hospital-a', name: 'Hospital A' }],
    })
    expect(lines.slice(-idleCostLines(idle).length)).toEqual(idleCostLines(idle))
    expect(lines.join('\n')).toContain(`prices of ${idle.region}, looked up ${idle.found}`)
    expect(lines.join('\n')).toMatch(/USD {2}keys/)
  })
})
