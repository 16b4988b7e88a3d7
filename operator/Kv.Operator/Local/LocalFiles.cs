using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kv.Operator.Api;
using Kv.Operator.Api.Schema;

namespace Kv.Operator.Local;

/// <summary>The files of a data directory that are not the nodes' own. Each is replaced whole, so that a reader never sees half of one.</summary>
internal sealed class LocalFiles(string directory)
{
    /// <summary>Absolute and without a slash at its end: nodes are told apart by their command lines, which name what is in it.</summary>
    public string Root { get; } = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));

    public string Pids => Path.Combine(Root, "pids");

    public string DataOf(string node) => Path.Combine(Root, node);

    /// <summary>Deletes what a node that does not run kept.</summary>
    public void DeleteData(string node) => Guarded(DataOf(node), () =>
    {
        if (Directory.Exists(DataOf(node)))
        {
            Directory.Delete(DataOf(node), recursive: true);
        }
    });

    public string LogOf(string node) => Path.Combine(Root, "logs", node + ".log");

    /// <summary>Takes the directory for this process; throws if another has it. Held until the result is disposed of or the process ends, however it ends.</summary>
    public FileStream Lock()
    {
        Guarded(Root, () => Directory.CreateDirectory(Path.Combine(Root, "logs")));
        try
        {
            return new FileStream(Path.Combine(Root, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new WorldException($"{Root} is used by another kv-operator; stop that one first, or choose another directory with --data", e);
        }
    }

    /// <summary>A line per node and protocol: <c>NODE PROTOCOL ADDRESS</c>.</summary>
    public void WriteEndpoints(IEnumerable<(string Node, string Protocol, string Address)> endpoints) =>
        Replace("endpoints", string.Concat(endpoints.Select(one => $"{one.Node} {one.Protocol} {one.Address}\n")));

    /// <summary>A line per node that runs: <c>NODE PID</c>.</summary>
    public void WritePids(IEnumerable<(string Node, int Pid)> pids) =>
        Replace("pids", string.Concat(pids.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Node} {one.Pid}\n"))));

    /// <summary>No node runs any more. Deleted, which a full disk allows too; if even that fails, the next start looks at what a process is before it ends it.</summary>
    public void DeletePids()
    {
        try
        {
            File.Delete(Pids);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // As above.
        }
    }

    public IReadOnlyList<(string Node, int Pid)> ReadPids() =>
        [.. ReadPairs("pids").Where(pair => pair.Number > 1)];

    public IReadOnlyDictionary<string, int> ReadPortBlocks() => ReadPairs("ports").ToDictionary(pair => pair.Name, pair => pair.Number, StringComparer.Ordinal);

    public void WritePortBlocks(IReadOnlyDictionary<string, int> blocks) =>
        Replace("ports", string.Concat(blocks.OrderBy(pair => pair.Value).Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value}\n"))));

    public void WriteStatus(IEnumerable<JsonNode> objects) => Replace("status.yaml", string.Join("---\n", objects.Select(YamlWriter.Write)));

    /// <summary>Objects as their status was last written; none if there is no such file or it cannot be read.</summary>
    public IReadOnlyList<JsonNode> ReadStatus()
    {
        try
        {
            return File.Exists(PathOf("status.yaml")) ? YamlReader.Read(File.ReadAllText(PathOf("status.yaml"))) : [];
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            // It is observed anew in a moment.
            return [];
        }
    }

    public ClusterRecord? ReadCluster(string name)
    {
        var path = PathOf($"{name}.cluster.json");
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<ClusterRecord>(Read(path), KvJson.Options);
        }
        catch (JsonException e)
        {
            throw new WorldException($"{path} is damaged ({e.Message}); it holds the cluster's id: restore it, or remove {Root} and all data in it", e);
        }
    }

    public void WriteCluster(string name, ClusterRecord record) => Replace($"{name}.cluster.json", JsonSerializer.Serialize(record, KvJson.Options) + "\n");

    private IEnumerable<(string Name, int Number)> ReadPairs(string file)
    {
        if (!File.Exists(PathOf(file)))
        {
            yield break;
        }

        foreach (var line in Read(PathOf(file)).Split('\n'))
        {
            if (line.Split(' ') is [{ Length: > 0 } name, var text] && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                yield return (name, number);
            }
        }
    }

    private void Replace(string name, string text)
    {
        var temporary = PathOf(name + ".new");
        Guarded(PathOf(name), () =>
        {
            File.WriteAllText(temporary, text);
            File.Move(temporary, PathOf(name), overwrite: true);
        });
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WorldException($"{path} cannot be read: {e.Message}", e);
        }
    }

    private static void Guarded(string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WorldException($"{path} cannot be written: {e.Message}", e);
        }
    }

    private string PathOf(string name) => Path.Combine(Root, name);
}
