// SPDX-License-Identifier: Apache-2.0
import { fromBase64url } from '#core/bytes/encoding.ts'
import type { Digest } from '#core/bytes/ids.ts'
import { checkFile, type RunningCheck, type Trusted } from './check-file.ts'
import { readPolicy, takePolicyFile } from './policy-field.ts'
import { showOutcome } from './show-outcome.ts'
import { counted, sizeOf } from './words.ts'

/** Progress appears after this long: a flash of it would only disturb. */
const QUIET_MS = 200
/** How often a screen reader hears that the check goes on. */
const SPOKEN_SECONDS = 10

const NO_FILE = 'Choose an export file'
const NO_REGISTRY = 'The registry id is 43 characters: letters, digits, - and _'

/** Wires the form. `source` is the text of the script that runs this, for the worker. */
export function startPage(source: string): void {
  const input = field('file')
  let file: File | null = null
  let running: RunningCheck | null = null
  let clock = 0

  const end = () => {
    running?.stop()
    running = null
    clearInterval(clock)
    byId('progress').hidden = true
  }
  const check = async () => {
    end()
    byId('result').hidden = true
    const trusted = readTrusted(file)
    if (!file || !trusted) return
    const started = checkFile(source, file, trusted)
    running = started
    clock = showProgress(file)
    const checked = { name: file.name, bytes: file.size, isPinned: trusted.registry !== null }
    const outcome = await started.outcome
    end()
    byId('status').textContent = ''
    byId('result').hidden = false
    showOutcome(byId('result'), outcome, checked).focus()
  }
  const take = (files: FileList | null | undefined) => {
    file = files?.[0] ?? null
    if (file) void check()
  }

  input.addEventListener('click', () => {
    // Else choosing the same name again, of a file written anew, would be no change.
    input.value = ''
    file = null
  })
  input.addEventListener('change', () => take(input.files))
  byId('form').addEventListener('submit', (event) => {
    event.preventDefault()
    void check()
  })
  byId('stop').addEventListener('click', () => {
    end()
    byId('status').textContent = 'Stopped. The file was not checked.'
    input.focus()
  })
  wirePolicyFile()
  takeDrops((files) => {
    input.files = files
    take(files)
  })
}

/** What is typed beside the file; null, and the faults are shown, where that or the file is not usable. */
function readTrusted(file: File | null): Trusted | null {
  const registry = readRegistry()
  const policy = readPolicy(policyField())
  showFaults({
    file: file ? null : NO_FILE,
    registry: registry === undefined ? NO_REGISTRY : null,
    policy: policy.fault,
  })
  return registry === undefined || policy.fault !== null ? null : { registry, policy: policy.text }
}

/** Wires the choice of a policy's file. */
function wirePolicyFile(): void {
  const input = field('policy-file')
  // The same name again is a choice too, of a file written anew.
  input.addEventListener('click', () => (input.value = ''))
  input.addEventListener('change', () => void takePolicy(input.files))
}

async function takePolicy(files: FileList | null): Promise<void> {
  const [chosen] = files ?? []
  if (chosen) byId('status').textContent = await takePolicyFile(policyField(), chosen)
}

/** Files dropped anywhere: beside the field a browser would leave the page and open the file. */
function takeDrops(take: (files: FileList) => void): void {
  document.addEventListener('dragover', (event) => {
    event.preventDefault()
    markDrop(true)
  })
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) markDrop(false)
  })
  document.addEventListener('drop', (event) => {
    markDrop(false)
    const files = event.dataTransfer?.files
    // Text that is dropped on a field is for the field.
    if (files?.length === 0 && event.target === policyField()) return
    event.preventDefault()
    if (!files || files.length === 0) return
    if (byId('policy-field').contains(event.target as Node | null)) void takePolicy(files)
    else take(files)
  })
}

function markDrop(isOver: boolean): void {
  byId('drop').classList.toggle('over', isOver)
}

/** Null when nothing was typed, undefined when what was typed is no registry id. */
function readRegistry(): Digest | null | undefined {
  const typed = field('registry').value.trim()
  if (typed === '') return null
  try {
    return fromBase64url(typed).length === 32 ? (typed as Digest) : undefined
  } catch {
    return undefined
  }
}

/** Shows each fault at its field and in a summary that takes the focus; null clears a field's. */
function showFaults(faults: Readonly<Record<'file' | 'registry' | 'policy', string | null>>): void {
  const links: HTMLLIElement[] = []
  for (const [name, fault] of Object.entries(faults)) {
    const at = byId(`${name}-fault`)
    at.hidden = fault === null
    at.textContent = fault
    if (fault === null) field(name).removeAttribute('aria-invalid')
    else {
      field(name).setAttribute('aria-invalid', 'true')
      links.push(linkTo(name, fault))
    }
  }
  byId('summary-list').replaceChildren(...links)
  byId('summary').hidden = links.length === 0
  if (links.length > 0) byId('summary').focus()
}

function linkTo(name: string, text: string): HTMLLIElement {
  const link = document.createElement('a')
  link.href = `#${name}`
  link.textContent = text
  link.addEventListener('click', (event) => {
    event.preventDefault()
    field(name).focus()
  })
  const item = document.createElement('li')
  item.append(link)
  return item
}

/** Seconds, not a share: `verifyExport` answers once, at the end. Gives the interval's id. */
function showProgress(file: File): number {
  const what = `Checking ${file.name}, ${sizeOf(file.size)}`
  const startedMs = performance.now()
  byId('status').textContent = ''
  let spoken = -1
  return setInterval(() => {
    const seconds = Math.floor((performance.now() - startedMs) / 1000)
    byId('progress').hidden = false
    byId('elapsed').textContent = seconds === 0 ? what : `${what}. ${counted(seconds, 'second')}`
    if (Math.floor(seconds / SPOKEN_SECONDS) === spoken) return
    spoken = Math.floor(seconds / SPOKEN_SECONDS)
    byId('status').textContent = byId('elapsed').textContent
  }, QUIET_MS) as unknown as number
}

function policyField(): HTMLTextAreaElement {
  return byId('policy') as HTMLTextAreaElement
}

function field(id: string): HTMLInputElement {
  return byId(id) as HTMLInputElement
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (!found) throw new RangeError(`the page has no #${id}`)
  return found
}
