// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import { MAX_POLICY_BYTES, parsePolicy } from '#core/log/policy/policy.ts'

/** What stands in the field: the text of a policy, null for nothing, or what is wrong with it. */
export type GivenPolicy =
  | { readonly text: string | null; readonly fault: null }
  | { readonly text: null; readonly fault: string }

/** Reads the field. A policy is whole or it is none: of half a one nobody knows whom to believe. */
export function readPolicy(field: HTMLTextAreaElement): GivenPolicy {
  const text = field.value
  if (text.trim() === '') return { text: null, fault: null }
  // A field gives its last line without a line break, and a policy is lines.
  const whole = text.endsWith('\n') ? text : `${text}\n`
  try {
    parsePolicy(whole)
    return { text: whole, fault: null }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return { text: null, fault: `The policy cannot be used. ${error.message}` }
  }
}

/** Puts a file's text into the field, where people see what they trust. Gives what to say of it. */
export async function takePolicyFile(field: HTMLTextAreaElement, file: File): Promise<string> {
  if (file.size > MAX_POLICY_BYTES) return `${file.name} is too large for a policy. It was not taken.`
  try {
    field.value = await file.text()
    return `The policy is that of ${file.name}. Check the file to judge its receipts.`
  } catch {
    return `${file.name} could not be read. The policy is as it was.`
  }
}
