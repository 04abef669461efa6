package io.radixflow.job.cli;

/** Marks a command that takes the engine's flags. */
interface StartsEngine {}
