// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from '@jest/globals'
import { closeAll, deploy, failing, FOUNDERS, isFounded, isWhole } from './failing.ts'

afterAll(closeAll)

describe('a deployment to Azure', () => {
  it('is made, tried, and made again without a change', async () => {
    const one = await failing()
    const first = await deploy(one, ...FOUNDERS)
    expect({ code: first.code, err: first.code === 0 ? '' : first.err }).toEqual({ code: 0, err: '' })
    expect(first.out).toMatch(/Deployed: https:\/\/ampere-dev-\w+\.azure-api\.net/)
    expect(first.out).toContain('a record of 3 blocks')
    await isWhole(one)
    const packages = new Map(one.world.scm.packages)
    const again = await deploy(one)
    expect(again.code).toBe(0)
    await isWhole(one)
    // The same bundles and the same home are the same bytes.
    for (const [name, files] of one.world.scm.packages) expect(files).toEqual(packages.get(name))
  })

  it('goes on where it was, whichever call failed, done or not', async () => {
    const sample = await failing()
    expect((await deploy(sample, ...FOUNDERS)).code).toBe(0)
    const faults = faultsOf(sample.calls)
    const published = sample.calls.findIndex((name) => name.includes('/api/publish'))
    const counts = { failed: 0, survived: 0 }
    // What was published and tried before stays, so one deployment serves for all these.
    const late = await failing()
    for (const { at, how, name } of faults) {
      const one = at < published ? await failing() : late
      one.fail(at, how)
      const broken = await deploy(one, ...(isFounded(one) ? [] : FOUNDERS))
      const said = `${at} ${name} ${how}: ${broken.err.split('\n').slice(-3).join(' | ')}`
      expect({ said, stack: /\n\s+at /.test(broken.err) }).toEqual({ said, stack: false })
      if (broken.code !== 0) expect(broken.err).toMatch(/\n {2}Next: /)
      counts[broken.code === 0 ? 'survived' : 'failed']++
      if (one === late) continue
      one.fail(-1, null)
      const again = await deploy(one, ...(isFounded(one) ? [] : FOUNDERS))
      expect({ said, err: again.code === 0 ? '' : again.err }).toEqual({ said, err: '' })
      await isWhole(one)
      await one.world.close()
    }
    late.fail(-1, null)
    expect((await deploy(late)).code).toBe(0)
    await isWhole(late)
    expect(counts.failed).toBeGreaterThan(counts.survived)
  }, 300_000)
})

/** Of each kind of call, whatever its role, the first, and the last that publishes; what changes something is also done and not known to be. */
function faultsOf(calls: readonly string[]) {
  const kindOf = (name: string) => name.replaceAll(/-[a-z]+-[0-9a-f]{13}/g, '-ROLE')
  return calls
    .map((name, at) => ({ name, at, kind: kindOf(name) }))
    .filter(
      ({ kind }, at, all) =>
        all.findIndex((one) => one.kind === kind) === at ||
        (/home POST|publish/.test(kind) && all.findLastIndex((one) => one.kind === kind) === at),
    )
    .flatMap(({ name, at }) => {
      const changes = /^(PUT|POST .*publish|home POST|store .*insert)/.test(name)
      const how = changes ? (['not-applied', 'applied-unknown'] as const) : (['not-applied'] as const)
      return how.map((each) => ({ name, at, how: each }))
    })
}
