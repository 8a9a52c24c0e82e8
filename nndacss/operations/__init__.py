"""Operations: what runs over many scenes and many days leave behind, listed, told and tidied.

    scenes      a folder or a written list of scenes, Level-1 twins matched
    dates       periods as people write them
    plans       each scene of a list planned: new, done before, or not to be planned, and why
    batch       the record of one run over a list, `<work>/batches/<id>`
    failures    why a scene failed, `<work>/failures/<scene>_<digest8>.json`
    roots       product roots: a folder, or a prefix of a bucket, asked the same questions
    products    which products a product root holds, and whether they are whole
    outcomes    what became of each scene of a batch, from markers and failure records
    report      that as a page, CSV, JSON and metrics (a child process)
    status      the work and product roots in numbers
    invalidate  chosen targets removed, with all that was made from them
    clean       work of finished products and what nobody refers to, removed

All but `report` is light: it runs inside the scheduler's process.
"""
