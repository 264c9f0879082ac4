// SPDX-License-Identifier: Apache-2.0
import { answerRequests } from './check-file.ts'
import { startPage } from './page.ts'

// One script, run twice: by the page, and by the worker that the page starts with the same text.
if (typeof document === 'undefined') answerRequests(globalThis)
else startPage(document.currentScript?.textContent ?? '')
