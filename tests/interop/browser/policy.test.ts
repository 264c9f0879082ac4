// SPDX-License-Identifier: Apache-2.0
import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { describeInChromium } from './chromium.ts'
import { exportWithReceipts, type LoggedExport } from './export-files.ts'
import { check, fileOf, openPage, type OpenedPage } from './opened-page.ts'

const COMMAND = fileURLToPath(new URL('../../../cli/ampere.mjs', import.meta.url))

describeInChromium('the page that verifies an export, given a policy', () => {
  let opened: OpenedPage
  let page: Page
  let file: LoggedExport

  beforeAll(async () => {
    file = await exportWithReceipts()
    opened = await openPage()
    page = opened.page
  })
  afterAll(async () => opened?.close())
  beforeEach(async () => {
    await page.reload()
  })

  const titleOf = async () => page.locator('#verdict-title').textContent()
  const checks = async () => (await page.locator('.checks').innerText()).replaceAll(/\s+/g, ' ')

  /** What the command prints of the same bytes and policy, in JSON; and what it says for people. */
  function commanded(bytes: Uint8Array, policy: string | null) {
    const { folder } = opened
    const [path, by] = [join(folder, 'record.ampere'), join(folder, 'policy.txt')]
    writeFileSync(path, bytes)
    if (policy !== null) writeFileSync(by, policy)
    const flags = ['verify', path, '--data', join(folder, 'none'), '--registry', file.registry]
    const given = policy === null ? flags : [...flags, '--policy', by]
    const run = (more: readonly string[]) =>
      spawnSync(process.execPath, [COMMAND, ...given, ...more], { encoding: 'utf8' }).stdout
    const { pinned, problems, ...said } = JSON.parse(run(['--json'])) as {
      pinned: boolean
      problems: object[]
    }
    expect(pinned).toBe(true)
    // The command names the chain in each problem, because it can verify several.
    const json = { ...said, problems: problems.map((problem) => ({ ...problem, chain: undefined })) }
    return { json, words: run([]) }
  }

  it('says of each block what the log proves, in the words of the command', async () => {
    await page.fill('#policy', file.policy)
    const shown = await check(page, file.bytes, file.registry)
    const { json, words } = commanded(file.bytes, file.policy)
    expect(shown).toEqual(json)
    expect(shown).toMatchObject({ ok: true, log: { witnessed: file.blocks, logged: 0 } })
    const phrase = `${file.blocks} witnessed`
    expect(words).toContain(phrase)
    expect(await titleOf()).toBe('Every part is what was signed')
    expect(await page.locator('#verdict').innerText()).toContain(`By the policy that you gave: ${phrase}.`)
    expect(await checks()).toContain(`Passed By the policy that you gave: ${phrase}.`)
  })

  it('finds a receipt that was changed, in the words of the command', async () => {
    const tampered = withOtherReceipt(file.bytes)
    await page.fill('#policy', file.policy)
    const shown = await check(page, tampered, file.registry)
    expect(shown).toEqual(commanded(tampered, file.policy).json)
    expect(shown).toMatchObject({ ok: false, problems: [{ height: 1, status: 'tampered', rule: 'receipt' }] })
    expect(await titleOf()).toBe('1 problem found')
    expect(await page.locator('#verdict').innerText()).toContain('The log does not bear out 1 block.')
    expect(await page.locator('tbody').innerText()).toContain('not one of this block in a log that you trust')
    expect(await checks()).toMatch(/Passed What is stored .* Failed By the policy that you gave: /)
  })

  it('bears out nothing by a policy of another log', async () => {
    await page.fill('#policy', file.otherPolicy)
    const shown = await check(page, file.bytes, file.registry)
    const problems = Array.from({ length: file.blocks }, () => ({ rule: 'receipt' }))
    expect(shown).toMatchObject({ ok: false, problems })
    expect(await titleOf()).toBe(`${file.blocks} problems found`)
    expect(await page.locator('#verdict').innerText()).toContain('Compare the policy')
  })

  it('says plainly that receipts were not judged where no policy was given', async () => {
    const shown = await check(page, file.bytes, file.registry)
    const { json, words } = commanded(file.bytes, null)
    expect(shown).toEqual(json)
    expect(shown).toMatchObject({ ok: true, log: null, receipts: file.blocks })
    const receipts = `${file.blocks} receipts of the log of http://home.test`
    expect(words).toContain(`Not checked: ${receipts}`)
    expect(await checks()).toContain(`Not checked ${receipts}`)
    expect(await page.locator('#verdict').innerText()).toContain(
      'Receipts were not judged: no policy was given.',
    )
    expect(await page.locator('.facts').innerText()).toContain('receipts not judged')
    // A receipt that was changed is then not found, and not called good.
    expect(await check(page, withOtherReceipt(file.bytes), file.registry)).toMatchObject({
      ok: true,
      log: null,
    })
  })

  it.each([
    ['a word that it does not know', 'nonsense\n', /^The policy cannot be used\. line 1: /],
    ['no quorum', 'log', /^The policy cannot be used\. /],
    [
      'a broken key',
      'log home.test/log+00000000+AAAA\nquorum none\n',
      /^The policy cannot be used\. line 1: /,
    ],
  ])('refuses a policy with %s at its field, and checks nothing by it', async (_, policy, fault) => {
    await page.fill('#policy', policy)
    await page.setInputFiles('#file', fileOf(file.bytes))
    await page.waitForSelector('#summary:not([hidden])')
    expect(await page.locator('#policy-fault').textContent()).toMatch(fault)
    expect(await page.getAttribute('#policy', 'aria-invalid')).toBe('true')
    expect(await page.locator('#result').isVisible()).toBe(false)
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('summary')
    await page.click('#summary-list a')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('policy')
  })

  it('takes a policy from its file, and from one that is dropped on its field', async () => {
    await page.setInputFiles('#policy-file', fileOf(utf8(file.policy), 'policy.txt'))
    await page.waitForFunction(() => document.querySelector('#status')?.textContent !== '')
    expect(await page.locator('#status').textContent()).toMatch(/^The policy is that of policy\.txt\./)
    expect(await page.inputValue('#policy')).toBe(file.policy)
    await page.fill('#policy', '')
    const transfer = await page.evaluateHandle((text) => {
      const made = new DataTransfer()
      made.items.add(new File([text], 'dropped.txt'))
      return made
    }, file.policy)
    await page.dispatchEvent('#policy', 'drop', { dataTransfer: transfer })
    await page.waitForFunction(() => document.querySelector('#status')?.textContent?.includes('dropped.txt'))
    expect(await page.inputValue('#policy')).toBe(file.policy)
    // No check began: a policy is no export.
    expect(await page.locator('#result').isVisible()).toBe(false)
    expect(await check(page, file.bytes, file.registry)).toMatchObject({ log: { witnessed: file.blocks } })
  })

  it('has no fault that axe finds with a policy that is refused, and with receipts that are', async () => {
    const states = [
      async () => {
        await page.fill('#policy', 'nonsense')
        await page.click('button[type=submit]')
      },
      async () => {
        await page.fill('#policy', file.otherPolicy)
        await check(page, file.bytes, file.registry)
      },
    ]
    for (const enter of states) {
      await enter()
      const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
      expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([])
    }
  })

  it('asked for nothing but itself, all this time, and the browser reported no fault', () => {
    expect(opened.foreignRequests()).toEqual([])
    expect(opened.faults()).toEqual([])
  })
})

/** With another hash in the proof of the receipt of block 1. */
function withOtherReceipt(bytes: Uint8Array): Uint8Array {
  const lines = fromUtf8(bytes).split('\n')
  const at = lines.findIndex((line) => /^(?=.*"of":1[,}]).*"receipt":/.test(line))
  const part = JSON.parse(lines[at] ?? '') as { receipt: string }
  const [first = '', label = '', index = '', hash = '', ...rest] = part.receipt.split('\n')
  const other = `${hash[0] === 'A' ? 'B' : 'A'}${hash.slice(1)}`
  const changed = { ...part, receipt: [first, label, index, other, ...rest].join('\n') }
  return utf8(lines.with(at, JSON.stringify(changed)).join('\n'))
}
