// Warnings of a process that is Jest's own.

/** @param {() => Promise<void>} work @returns {Promise<string[]>} what was warned of meanwhile */
export async function warningsOf(work) {
  const warnings = [];
  const { emitWarning } = process; // Jest's process does not hear of warnings
  process.emitWarning = (warning) => warnings.push(warning);
  await work().finally(() => {
    process.emitWarning = emitWarning;
  });
  return warnings;
}
