package io.radixflow.job.cli;

import io.radixflow.job.UserException;
import io.radixflow.schemas.RegistryAccess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Flags that say where the schema registry is. The password is in no flag, since other users of the machine see those. */
final class RegistryFlags {

    static final String PASSWORD_VARIABLE = "RADIXFLOW_SCHEMA_REGISTRY_PASSWORD";

    @Option(
            names = "--schema-registry",
            paramLabel = "URL",
            description = "Schema registry for --format avro-confluent, for example http://localhost:8081.")
    private @Nullable String url;

    @Option(
            names = "--schema-registry-user",
            paramLabel = "USER",
            description = "User for the schema registry; the password is in the file below or in the variable "
                    + PASSWORD_VARIABLE + ".")
    private @Nullable String user;

    @Option(
            names = "--schema-registry-password-file",
            paramLabel = "FILE",
            description = "File whose first line is the user's password.")
    private @Nullable Path passwordFile;

    /**
     * Where the registry is, or null if the format needs none.
     *
     * @throws UserException if it is missing, wrong, or there without need
     */
    @Nullable
    RegistryAccess access(boolean isNeeded) {
        if (!isNeeded) {
            if (url != null || user != null || passwordFile != null) {
                throw new UserException("--schema-registry and its user belong to --format avro-confluent");
            }
            return null;
        }
        if (url == null) {
            throw new UserException("--format avro-confluent needs --schema-registry URL");
        }
        try {
            return new RegistryAccess(url, user, user == null ? null : password());
        } catch (IllegalArgumentException e) {
            throw new UserException("--schema-registry " + e.getMessage(), e);
        }
    }

    private String password() {
        String password = passwordFile == null ? System.getenv(PASSWORD_VARIABLE) : firstLine(passwordFile);
        if (password == null || password.isEmpty()) {
            throw new UserException("--schema-registry-user needs a password in "
                    + (passwordFile == null
                            ? "--schema-registry-password-file or the variable " + PASSWORD_VARIABLE
                            : "the first line of " + passwordFile));
        }
        return password;
    }

    private static String firstLine(Path file) {
        try (var lines = Files.newBufferedReader(file)) {
            String line = lines.readLine();
            return line == null ? "" : line;
        } catch (IOException e) {
            throw new UserException("--schema-registry-password-file " + file + " cannot be read: " + e, e);
        }
    }
}
