// SPDX-License-Identifier: Apache-2.0
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { builtPage } from './built.ts'
import { launch, saved } from './chromium.ts'

/** A name that is not this machine's, over http: a connection that browsers do not call secure. */
export const PLAIN_HOST = 'plain.test'

/** The built page, opened from a file as somebody opens it who was given it. */
export interface OpenedPage {
  readonly page: Page
  readonly html: string
  readonly url: string
  /** Where the page lies; tests may put files beside it. */
  readonly folder: string
  /** What the page and its workers asked for that is not the page itself. */
  foreignRequests(): readonly string[]
  /** What the browser reported: exceptions, refusals by the policy, whatever was written to its console. */
  faults(): readonly string[]
  close(): Promise<void>
}

export async function openPage(): Promise<OpenedPage> {
  const { html } = builtPage()
  const place = saved(html)
  const browser = await launch({ hosts: [PLAIN_HOST] })
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const requests: string[] = []
  const faults: string[] = []
  context.on('request', (request) => requests.push(request.url()))
  context.on('weberror', (error) => faults.push(error.error().message))
  context.on('console', (message) => faults.push(message.text()))
  const page = await context.newPage()
  await page.goto(place.url)
  // A blob is the worker's script, out of the page's own memory.
  const isItself = (url: string) =>
    url === place.url || url.startsWith('blob:') || new RegExp(`^http://${PLAIN_HOST}:\\d+/$`).test(url)
  return {
    page,
    html,
    url: place.url,
    folder: dirname(fileURLToPath(place.url)),
    foreignRequests: () => {
      if (!requests.includes(place.url)) throw new RangeError('requests are not seen')
      return requests.filter((url) => !isItself(url))
    },
    faults: () => faults,
    close: async () => {
      await browser.close()
      place.remove()
    },
  }
}

/** Checks bytes in the page and gives the JSON that it shows. */
export async function check(page: Page, bytes: Uint8Array, registry = ''): Promise<unknown> {
  await page.fill('#registry', registry)
  await page.setInputFiles('#file', fileOf(bytes))
  await page.waitForSelector('#result:not([hidden])')
  return JSON.parse((await page.locator('#json').textContent()) ?? '')
}

/** Bytes as a file that a person chooses. */
export function fileOf(bytes: Uint8Array, name = 'record.ampere') {
  return { name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) }
}

/** Serves on this machine while `act` runs with the port. */
export async function serving(
  listener: RequestListener,
  act: (port: number) => Promise<void>,
): Promise<void> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await act((server.address() as AddressInfo).port)
  } finally {
    // A browser keeps its connections, which keep the server, and with it this process.
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}
