/**
 * The command line: one class a subcommand, flags made from the tables of options, errors as one line. Draws on all other
 * packages of this module.
 */
@NullMarked
package io.radixflow.job.cli;

import org.jspecify.annotations.NullMarked;
