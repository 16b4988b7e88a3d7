namespace Kv.Kubectl.Connections;

/// <summary>
/// What a local run says of its nodes in <c>.kv/endpoints</c>: a line per node and protocol, <c>NODE PROTOCOL ADDRESS</c>. Lines of other forms and
/// protocols are passed over, so that a newer run's file can be read.
/// </summary>
internal static class EndpointsFile
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>The file of this directory or the nearest one above it; null if there is none.</summary>
    public static string? Find(string directory)
    {
        for (var at = new DirectoryInfo(directory); at is not null; at = at.Parent)
        {
            var path = Path.Combine(at.FullName, ".kv", "endpoints");
            if (File.Exists(path))
            {
                return path;
            }
        }

        return null;
    }

    public static IReadOnlyList<NodeAddress> Read(string path)
    {
        if (new FileInfo(path).Length > MaxBytes)
        {
            throw new CliException(ExitCode.Failed, $"{path} is no list of endpoints: it has more than {MaxBytes} bytes");
        }

        var nodes = new List<NodeAddress>();
        foreach (var line in File.ReadLines(path))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [var name, var protocol, var address] || !HostAndPort.IsValid(address))
            {
                continue;
            }

            var at = nodes.FindIndex(node => node.Name == name);
            var node = at < 0 ? new NodeAddress(name, null, null) : nodes[at];
            node = protocol switch
            {
                "grpc" => node with { Grpc = address },
                "admin" => node with { Admin = address },
                _ => node,
            };
            if (at < 0)
            {
                nodes.Add(node);
            }
            else
            {
                nodes[at] = node;
            }
        }

        return nodes;
    }
}
