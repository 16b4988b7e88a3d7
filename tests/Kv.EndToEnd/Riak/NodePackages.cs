using Kv.EndToEnd.Kubernetes;

namespace Kv.EndToEnd.Riak;

/// <summary>Runs scripts by Node.js with the packages that lie beside them in a lock file. Packages are kept in `.artifacts`, and fetched once for each state of that file.</summary>
internal static class NodePackages
{
    private static readonly string[] Files = ["package.json", "package-lock.json"];
    private static readonly SemaphoreSlim Installing = new(1);

    /// <summary>Runs a script of <paramref name="directory"/>. Without Node.js on this machine, or the packages, the test ends as <see cref="Missing"/> has it.</summary>
    public static async Task<Command> RunAsync(
        string directory, string script, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, TimeSpan timeout, CancellationToken cancel)
    {
        var packages = await InstallAsync(directory, cancel);
        var whole = new Dictionary<string, string>(environment) { ["NODE_PATH"] = Path.Combine(packages, "node_modules") };
        return await Command.RunAsync("node", ["--no-deprecation", "--test-reporter=tap", Path.Combine(directory, script), .. arguments], timeout, whole, cancel: cancel);
    }

    private static async Task<string> InstallAsync(string directory, CancellationToken cancel)
    {
        Missing.Require(IsThere("node") && IsThere("npm") ? null : "Node.js is not there (`node` and `npm`): apt-get install nodejs npm");
        var home = SourceTree.Path(".artifacts", "node-packages");
        await Installing.WaitAsync(cancel);
        try
        {
            Directory.CreateDirectory(home);
            var done = Path.Combine(home, "installed");
            var wanted = string.Concat(Files.Select(file => File.ReadAllText(Path.Combine(directory, file))));
            if (File.Exists(done) && await File.ReadAllTextAsync(done, cancel) == wanted)
            {
                return home;
            }

            File.Delete(done);
            foreach (var file in Files)
            {
                File.Copy(Path.Combine(directory, file), Path.Combine(home, file), overwrite: true);
            }

            var install = await Command.RunAsync("npm", ["ci", "--prefix", home, "--ignore-scripts", "--no-audit", "--no-fund"], TimeSpan.FromMinutes(5), cancel: cancel);
            Missing.Require(install.Succeeded ? null : $"the packages cannot be fetched: {install}");
            await File.WriteAllTextAsync(done, wanted, cancel);
            return home;
        }
        finally
        {
            Installing.Release();
        }
    }

    private static bool IsThere(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(directory => File.Exists(Path.Combine(directory, program)));
}
