// SPDX-License-Identifier: Apache-2.0
import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { describeInChromium } from './chromium.ts'
import { exportOfTwoInstitutions, type ExportFile } from './export-files.ts'
import { check, fileOf, openPage, PLAIN_HOST, serving, type OpenedPage } from './opened-page.ts'
import { damaged } from './tampered-files.ts'

describeInChromium('the page that verifies an export', () => {
  let opened: OpenedPage
  let page: Page
  let file: ExportFile

  beforeAll(async () => {
    file = await exportOfTwoInstitutions()
    opened = await openPage()
    page = opened.page
  })

  afterAll(async () => opened?.close())

  it('shows blocks, entries, erased, as of, and each problem with its block and rule', async () => {
    await check(page, file.bytes, file.registry)
    expect(await page.locator('#verdict-title').textContent()).toBe('Every part is what was signed')
    expect(await page.locator('.counts').innerText()).toMatch(/Blocks\s+\d+\s+Entries\s+3\s+Erased\s+1/)
    expect(await page.locator('time').textContent()).toBe('4 November 2026, 08:00 UTC')
    expect(await page.locator('table').count()).toBe(0)
    await check(page, damaged(file.bytes))
    const row = await page.locator('tbody tr').first().innerText()
    expect(row.replace(/\s+/g, ' ')).toMatch(
      /^\d+ tampered keys-root The key row differs from what was signed\./,
    )
  })

  it('calls a file that no registry id was typed for consistent, not confirmed', async () => {
    await check(page, file.bytes)
    expect(await page.locator('#verdict-title').textContent()).toMatch(/registry is not confirmed$/)
    expect(await page.locator('.verdict.ok').count()).toBe(0)
    expect(await page.locator('.checks').innerText()).toMatch(
      /Not checked\s+Whether the registry is one to trust/,
    )
  })

  it('takes a file dropped anywhere', async () => {
    await page.reload()
    const transfer = await page.evaluateHandle((text) => {
      const made = new DataTransfer()
      made.items.add(new File([text], 'dropped.ampere'))
      return made
    }, fromUtf8(file.bytes))
    await page.dispatchEvent('footer', 'drop', { dataTransfer: transfer })
    await page.waitForSelector('#result:not([hidden])')
    expect(await page.locator('.facts').innerText()).toContain('dropped.ampere')
  })

  it('forgets the file when another is about to be chosen, so that the same name counts as a choice', async () => {
    await check(page, file.bytes)
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.click('#file')])
    expect(await page.inputValue('#file')).toBe('')
    await page.click('button[type=submit]')
    expect(await page.locator('#summary-list').innerText()).toBe('Choose an export file')
    await chooser.setFiles(fileOf(file.bytes))
    await page.waitForSelector('#result:not([hidden])')
  })

  it('works by keyboard alone, and moves the focus to the result and to what is wrong', async () => {
    await page.reload()
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('file')
    await page.keyboard.press('Tab')
    await page.keyboard.type('too short')
    await page.keyboard.press('Enter')
    expect(await focused(page)).toBe('summary')
    expect(await page.locator('#summary-list').innerText()).toMatch(/^Choose an export file\n.*43 characters/)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await focused(page)).toBe('file')
    await page.fill('#registry', ` ${file.registry} `)
    await page.setInputFiles('#file', fileOf(file.bytes))
    await page.waitForSelector('#result:not([hidden])')
    expect(await focused(page)).toBe('verdict')
    expect(await page.locator('#summary').isVisible()).toBe(false)
  })

  it('shows progress while it checks, can be stopped, and can check again', async () => {
    await page.reload()
    const path = join(opened.folder, 'large.ampere')
    const object = `{"object":"${'A'.repeat(4_000_000)}","of":"x"}\n`
    writeFileSync(path, [Buffer.from(file.bytes), ...Array.from({ length: 50 }, () => object)].join(''))
    await page.setInputFiles('#file', path)
    await page.waitForSelector('#progress:not([hidden])')
    expect(await page.locator('#elapsed').textContent()).toMatch(/^Checking large\.ampere, 200\.\d MB/)
    await page.click('#stop')
    expect(await page.locator('#status').textContent()).toBe('Stopped. The file was not checked.')
    expect(await page.locator('#progress').isVisible()).toBe(false)
    expect(await check(page, file.bytes, file.registry)).toMatchObject({ ok: true })
  })

  it('takes what a file or its name says as text', async () => {
    const name = '<img src=x onerror=alert(1)>.ampere'
    await page.setInputFiles('#file', fileOf(new Uint8Array(1), name))
    await page.waitForSelector('#result:not([hidden])')
    expect(await page.locator('.facts').innerText()).toContain(name)
    expect(await page.locator('img').count()).toBe(0)
  })

  it('says so when the file cannot be read', async () => {
    await page.reload()
    const path = join(opened.folder, 'gone.ampere')
    writeFileSync(path, file.bytes)
    await page.fill('#registry', 'too short')
    await page.setInputFiles('#file', path)
    rmSync(path)
    await page.fill('#registry', '')
    await page.click('button[type=submit]')
    await page.waitForSelector('#result:not([hidden])')
    expect(await page.locator('#verdict-title').textContent()).toBe('The file could not be read')
  })

  it('says so, and accuses nobody, where the browser withholds cryptography', async () => {
    const plain = await page.context().newPage()
    await serving(
      (_, response) => response.setHeader('content-type', 'text/html').end(opened.html),
      async (port) => {
        await plain.goto(`http://${PLAIN_HOST}:${port}/`)
        await plain.setInputFiles('#file', fileOf(file.bytes))
        await plain.waitForSelector('#result:not([hidden])')
        expect(await plain.locator('#verdict-title').textContent()).toBe(
          'This page cannot check anything here',
        )
      },
    )
    await plain.close()
  })

  it.each([
    ['light', 'no-preference', 1280],
    ['dark', 'no-preference', 390],
    ['dark', 'more', 320],
  ] as const)(
    'has no fault that axe finds: %s, contrast %s, %d pixels wide',
    async (scheme, contrast, width) => {
      await page.emulateMedia({ colorScheme: scheme, contrast })
      await page.setViewportSize({ width, height: 800 })
      await page.reload()
      const states = [
        async () => page.click('button[type=submit]'),
        async () => check(page, file.bytes, file.registry),
        async () => check(page, file.bytes),
        async () => check(page, damaged(file.bytes)),
        async () => check(page, new Uint8Array(0)),
      ]
      for (const enter of states) {
        await enter()
        for (const at of await page.locator('details').all())
          await at.evaluate((details) => details.setAttribute('open', ''))
        // The page has no frames, so axe needs no page of its own to put results together.
        const axe = new AxeBuilder({ page }).setLegacyMode()
        // Only the colours differ between the schemes.
        if (scheme !== 'light') axe.withRules('color-contrast')
        const { violations, passes } = await axe.analyze()
        expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([])
        expect(passes.map(({ id }) => id)).toContain('color-contrast')
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
      }
    },
  )

  it('asked for nothing but itself, all this time, and the browser reported no fault', () => {
    expect(opened.foreignRequests()).toEqual([])
    expect(opened.faults()).toEqual([])
  })

  it('lets nothing out and nothing in, even when a script asks', async () => {
    const hits: string[] = []
    await page.reload()
    await serving(
      (request, response) => {
        hits.push(request.url ?? '')
        response.setHeader('access-control-allow-origin', '*').end()
      },
      async (port) => {
        const ran = await page.evaluate(reachOut, `http://127.0.0.1:${port}`)
        expect(ran).toEqual({ fetched: false, evaluated: false, inline: false, loaded: false })
      },
    )
    expect(hits).toEqual([])
  })
})

async function focused(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.activeElement?.id)
}

/** Runs in the page: every way out that a script has without its policy. */
async function reachOut(origin: string): Promise<Record<string, boolean>> {
  const marks = globalThis as unknown as Record<string, boolean>
  const inline = document.createElement('script')
  inline.textContent = 'globalThis.inlineRan = true'
  const remote = document.createElement('script')
  remote.src = `${origin}/script.js`
  const image = document.createElement('img')
  const settled = (at: HTMLElement) =>
    new Promise<boolean>((resolve) => {
      at.addEventListener('load', () => resolve(true))
      at.addEventListener('error', () => resolve(false))
    })
  const loads = Promise.all([settled(remote), settled(image)])
  image.src = `${origin}/image.png`
  document.body.append(inline, remote, image)
  const fetched = await fetch(`${origin}/fetch`).then(
    () => true,
    () => false,
  )
  let evaluated = true
  // Later, because what the browser's own console runs may evaluate.
  await new Promise((resolve) => setTimeout(resolve))
  try {
    // oxlint-disable-next-line no-implied-eval, no-new-func -- that this fails is what the test is about
    new Function('return 1')()
  } catch {
    evaluated = false
  }
  return { fetched, evaluated, inline: marks['inlineRan'] ?? false, loaded: (await loads).includes(true) }
}
