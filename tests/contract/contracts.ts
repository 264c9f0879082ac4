// SPDX-License-Identifier: Apache-2.0
import { countCalls } from '#adapters/around/counts.ts'
import type { Platform } from '#core/ports/needs.ts'
import { afterFaults, faultsContract } from './faults-contract.ts'
import { objectsContract } from './objects-contract.ts'
import { signerContract } from './signer-contract.ts'
import type { Subject } from './subject.ts'
import { tableContract } from './table-contract.ts'
import { uploadsContract } from './uploads-contract.ts'
import { unwrapperContract } from './unwrapper-contract.ts'

/** Every port's contract on an adapter: as it is, after every call of it has failed, and with its calls counted. */
export function everyContract(subject: Subject): void {
  for (const variant of [subject, afterFaults(subject), counted(subject)]) {
    tableContract(variant)
    objectsContract(variant)
    signerContract(variant)
    unwrapperContract(variant)
    if (subject.uploads === true) uploadsContract(variant)
  }
  faultsContract(subject)
}

/** The same adapter with its calls counted, which must change nothing. */
function counted(subject: Subject): Subject {
  const count = (platform: Platform) => countCalls(platform).platform
  const open = async () => {
    const { platform, reopen } = await subject.open()
    return { platform: count(platform), reopen: async () => count(await reopen()) }
  }
  return { ...subject, name: `${subject.name}, counted`, open }
}
