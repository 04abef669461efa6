package io.radixflow.job.cli;

import picocli.CommandLine.IVersionProvider;

/** The build's version, as the jar's manifest has it. */
final class Version implements IVersionProvider {

    @Override
    public String[] getVersion() {
        return new String[] {"radixflow " + number() + ", Java " + Runtime.version()};
    }

    static String number() {
        String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "(unpackaged)" : version;
    }
}
